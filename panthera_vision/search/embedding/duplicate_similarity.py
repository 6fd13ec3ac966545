"""Similarity from which two photos may be near-duplicates: measured, as it depends on the network.

Whether they are, their pixels tell; see `same_shot`.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.io.atomic import write_json
from panthera_vision.search.embedding.embedder import Embedder
from panthera_vision.search.perturbations import perturb

# Of the classifier's vectors, of which a fifth is the species: finds 83% of copies cropped to 70 to
# 90% of each side (benchmarks/near_duplicates.md).
CLASSIFIER_SIMILARITY = 0.6
MEASURED_PHOTOS = 100
_KEY = "duplicate_similarity"
_DIGITS = 3


def measure_duplicate_similarity(
    embedder: Embedder, photos: Sequence[Path], *, batch_size: int, threads: int
) -> float:
    """Return the median cosine similarity of photos and their copies cropped to 70 to 90%.

    Pairs that are more similar than half of the cropped copies may show the same shot. Of a
    classifier, it is `CLASSIFIER_SIMILARITY`.

    Args:
        embedder: of the index, with its whitening.
        photos: files; of more than `MEASURED_PHOTOS`, as many are taken at equal distances.
        batch_size, threads: as in `Embedder.embeddings_of`.

    Raises:
        PhotoError: a photo can't be read.
    """
    if embedder.predictor.model.class_names:
        return CLASSIFIER_SIMILARITY
    chosen = photos[:: -(-len(photos) // MEASURED_PHOTOS)]
    embed = partial(embedder.embeddings_of, batch_size=batch_size, threads=threads)
    originals = embed([partial(open_photo, path) for path in chosen])
    copies = embed([partial(_cropped, path) for path in chosen])
    return round(float(np.median((originals * copies).sum(axis=1))), _DIGITS)


def write_duplicate_similarity(similarity: float, path: Path) -> None:
    """Write the measured similarity as JSON."""
    write_json(path, {_KEY: similarity})


def read_duplicate_similarity(path: Path) -> float:
    """Read the file that `write_duplicate_similarity` wrote.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        similarity = json.loads(path.read_text(encoding="utf-8"))[_KEY]
        if not (isinstance(similarity, float) and -1 <= similarity <= 1):
            raise ValueError
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; `dvc repro` creates it") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged; `dvc repro` rebuilds it") from None
    return similarity


def _cropped(path: Path) -> Image.Image:
    return perturb(open_photo(path), "cropped", path.name)
