"""How a photo becomes the vector that it is searched by, in one pass through the network."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.search.embedding.whitening import Whitening

PENULTIMATE, WHITENED = "penultimate", "whitened-1"
EMBEDDINGS = (PENULTIMATE, WHITENED)
# How much the species that the model sees count, beside all else that it sees.
_SPECIES_SHARE = 0.2

Load = Callable[[], Image.Image]


def whitened_vectors(features: np.ndarray, logits: np.ndarray, whitening: Whitening) -> np.ndarray:
    """L2-normalised vectors (N, dimension + classes), float32.

    Whitened features beside the square roots of the class probabilities. The inner product of two
    vectors is 0.8 times the cosine of the former, plus 0.2 times Bhattacharyya's coefficient
    (1943) of the latter, which is 1 where the model sees the same species with the same certainty.

    Args:
        features: penultimate (N, dimension).
        logits: of the classes (N, classes).
        whitening: of the features.
    """
    rising = np.exp((logits - logits.max(axis=1, keepdims=True)) / 2)
    roots = rising / np.linalg.norm(rising, axis=1, keepdims=True)
    parts = (
        np.sqrt(1 - _SPECIES_SHARE) * whitening(features),
        np.sqrt(_SPECIES_SHARE) * roots,
    )
    return np.concatenate(parts, axis=1, dtype=np.float32)


def vectors_of(features: np.ndarray, logits: np.ndarray, whitening: Whitening | None) -> np.ndarray:
    """L2-normalised vectors (N, dimension): `whitened_vectors`, or else the features alone."""
    if whitening is not None:
        return whitened_vectors(features, logits, whitening)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-12), dtype=np.float32)


class Embedder:
    """Photos → L2-normalised vectors.

    Attributes:
        predictor: the network.
        whitening: of its penultimate features; None where they are the vectors as they are.
    """

    def __init__(self, predictor: Predictor, whitening: Whitening | None = None) -> None:
        self.predictor = predictor
        self.whitening = whitening

    @property
    def name(self) -> str:
        """Which of `EMBEDDINGS` it makes."""
        return PENULTIMATE if self.whitening is None else WHITENED

    def embeddings(self, photos: torch.Tensor) -> np.ndarray:
        """Vectors (N, dimension) of preprocessed photos (N, 3, H, W), float32."""
        outputs = self.predictor.outputs(photos)
        return vectors_of(outputs.features.numpy(), outputs.logits.numpy(), self.whitening)

    def embedding(self, photo: Image.Image) -> np.ndarray:
        """The vector (dimension,) of one RGB photo."""
        tensor = self.predictor.model.preprocessing(photo)
        return np.asarray(self.embeddings(tensor[None])[0])

    def embeddings_of(
        self, photos: Sequence[Load], *, batch_size: int, threads: int, purpose: str
    ) -> np.ndarray:
        """Vectors (N, dimension) of RGB photos, each loaded when its turn comes."""
        jobs = (partial(self._prepare, load) for load in photos)
        parts = []
        with progress_bar(purpose, "photo", len(photos)) as progress:
            for batch in prefetch_batches(jobs, batch_size=batch_size, threads=threads):
                parts.append(self.embeddings(batch))
                progress.update(len(batch))
        return np.concatenate(parts)

    def embeddings_of_files(
        self, paths: Sequence[Path], *, batch_size: int, threads: int
    ) -> np.ndarray:
        """Vectors (N, dimension) of photo files.

        Raises:
            UserError: a file can't be read as a photo.
        """
        side = self.predictor.model.preprocessing.min_decoded_side
        loads = [partial(open_photo, path, side) for path in paths]
        return self.embeddings_of(loads, batch_size=batch_size, threads=threads, purpose="embed")

    def _prepare(self, load: Load) -> torch.Tensor:
        return self.predictor.model.preprocessing(load())
