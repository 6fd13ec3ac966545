"""Write the synthetic collections of `benchmarks.scale`: vectors and a table of photos."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.mixture import Mixture, assumed_mixture, fitted_mixture
from panthera_vision.data.photo_table import write_table
from panthera_vision.images.folders import photos_below
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.pretrained import PANTHERA, pretrained_model
from panthera_vision.search.embedding.embedder import combine_vectors, padded_dimension
from panthera_vision.search.embedding.whitening import fit_whitening

VECTORS, TABLE, PHOTOS = "vectors.npy", "photos.csv", "data/dataset_images"
NUMBERS = 1285  # of EfficientNet-Lite0 with five species, before padding
COPIES = 0.02
SEED = 17
_FILES = 100
_MOST_REAL_PHOTOS = 2000


def mixture_of(data: Path) -> Mixture:
    """Fit the mixture to photos below `data`, or assume one if there are none."""
    files = photos_below(data)[:_MOST_REAL_PHOTOS] if data.is_dir() else []
    if not files:
        return assumed_mixture(NUMBERS)
    outputs = Predictor(pretrained_model(), precision="fp32").outputs_of_files(files, batch_size=32)
    features, logits = outputs.features.numpy(), outputs.logits.numpy()
    whitening = fit_whitening(features, logits.argmax(axis=1))
    return fitted_mixture(combine_vectors(features, logits, whitening)[:, :NUMBERS].copy())


def planted_copies(count: int) -> np.ndarray:
    """Return the rows of originals, of their copies, and of what is blended in (3, copies)."""
    shuffled = np.random.default_rng(SEED).permutation(count)
    return shuffled[: 3 * int(COPIES * count)].reshape(3, -1)


def write_collection(count: int, folder: Path) -> None:
    """Write the table of `count` photos, which share a hundred files; copies, their original's."""
    random = np.random.default_rng(SEED)
    (folder / PHOTOS).mkdir(parents=True)
    for number in range(_FILES):
        noise = random.integers(0, 255, (24, 32, 3)).astype(np.uint8)
        drawn = Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC)
        drawn.save(folder / PHOTOS / f"{number}.jpg")
    files = np.arange(count) % _FILES
    originals, copies, _ = planted_copies(count)
    files[copies] = files[originals]
    days = pd.Timestamp("2005-01-01") + pd.to_timedelta(random.integers(0, 7000, count), unit="D")
    observers = random.integers(0, int(0.74 * count) + 1, count)
    columns = {
        "id": np.arange(count).astype(str),
        "species": np.array(PANTHERA)[random.integers(0, len(PANTHERA), count)],
        "observer": [f"observer {number}" for number in observers],
        "observed_on": days.strftime("%Y-%m-%d"),
        "place": [f"Park {number}, Country" for number in random.integers(0, 3000, count)],
        "license": np.array(["", "CC0", "CC-BY", "CC-BY-NC"])[random.integers(0, 4, count)],
        "sha256": [f"{number:064x}" for number in range(count)],
        "file": [f"{PHOTOS}/{number}.jpg" for number in files],
        "observation_url": [f"https://example.org/{number}" for number in range(count)],
        "attribution": "(c) somebody",
        "taxon": "",
        "outcome": "ok",
    }
    write_table(pd.DataFrame(columns), folder / TABLE)


def write_vectors(mixture: Mixture, count: int, path: Path) -> None:
    """Write vectors (N, padded dimension); near-duplicates are blends with another photo."""
    shape = (count, padded_dimension(NUMBERS))
    vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    start = 0
    for block in mixture.draw(count, seed=SEED):
        vectors[start : start + len(block), :NUMBERS] = block
        start += len(block)
    random = np.random.default_rng(SEED)
    for original, copy, other in zip(*planted_copies(count), strict=True):
        blend = vectors[original] + random.uniform(0.1, 0.6) * vectors[other]
        vectors[copy] = blend / np.linalg.norm(blend)
    vectors.flush()
