"""Embed photos: from the outputs of one forward pass to the vectors that a search compares."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from PIL import Image

from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.preprocessing import Preprocessing
from panthera_vision.search.embedding.whitening import Whitening

PENULTIMATE, WHITENED = "penultimate", "whitened-1"
EMBEDDINGS = (PENULTIMATE, WHITENED)
# Weight of the predicted species in the similarity of two photos.
_SPECIES_WEIGHT = 0.2
# FAISS's scalar quantizers use SIMD code for multiples of 8 numbers only, and are 7 times faster
# with it; see docs/search.md. Zeros change no inner product.
_MULTIPLE = 8


def padded_dimension(numbers: int) -> int:
    """Return the length of a vector of this many numbers with its padding."""
    return -(-numbers // _MULTIPLE) * _MULTIPLE


def combine_vectors(
    features: np.ndarray, logits: np.ndarray, whitening: Whitening | None
) -> np.ndarray:
    """Compute L2-normalized vectors, float32, from a network's outputs.

    With whitening: whitened features beside the square roots of the class probabilities. The inner
    product of two vectors is then 0.8 times the cosine similarity of the whitened features, plus
    0.2 times the Bhattacharyya coefficient (1943) of the class probabilities, which is 1 where the
    model sees the same species with the same certainty. A feature network has no classes: whitened
    features alone. Without whitening: the features alone.

    Args:
        features: penultimate (N, dimension).
        logits: of the classes (N, classes); a feature network has none (N, 0).
        whitening: of the features.

    Returns:
        (N, dimension + classes) with whitening, (N, dimension) without, padded with zeros to
        `padded_dimension`.
    """
    if whitening is None:
        norms = np.linalg.norm(features, axis=1, keepdims=True)
        return _padded(features / np.maximum(norms, 1e-12))
    if not logits.shape[1]:
        return _padded(whitening(features))
    rising = np.exp((logits - logits.max(axis=1, keepdims=True)) / 2)
    roots = rising / np.linalg.norm(rising, axis=1, keepdims=True)
    parts = (
        np.sqrt(1 - _SPECIES_WEIGHT) * whitening(features),
        np.sqrt(_SPECIES_WEIGHT) * roots,
    )
    return _padded(*parts)


def _padded(*parts: np.ndarray) -> np.ndarray:
    """Return parts (N, …) side by side, float32, with zeros up to a multiple of `_MULTIPLE`."""
    width = sum(part.shape[1] for part in parts)
    zeros = np.zeros((len(parts[0]), padded_dimension(width) - width))
    return np.concatenate([*parts, zeros], axis=1, dtype=np.float32)


class Embedder:
    """Turn photos into L2-normalized vectors; without whitening, of the features alone."""

    def __init__(self, predictor: Predictor, whitening: Whitening | None = None) -> None:
        self.predictor = predictor
        self.whitening = whitening

    @property
    def preprocessing(self) -> Preprocessing:
        """Return the preprocessing of the network that embeds."""
        return self.predictor.model.preprocessing

    def embeddings(self, photos: torch.Tensor) -> np.ndarray:
        """Embed preprocessed photos (N, 3, H, W): (N, dimension), float32."""
        outputs = self.predictor.outputs(photos)
        return combine_vectors(outputs.features.numpy(), outputs.logits.numpy(), self.whitening)

    def embedding(self, photo: Image.Image) -> np.ndarray:
        """Embed one RGB photo: (dimension,), float32."""
        tensor = self.preprocessing(photo)
        return np.asarray(self.embeddings(tensor[None])[0])

    def embeddings_of(
        self,
        photos: Sequence[Callable[[], Image.Image]],
        *,
        batch_size: int,
        threads: int,
        purpose: str = "embed",
    ) -> np.ndarray:
        """Embed RGB photos in batches: (N, dimension); each photo is a function that loads it."""
        jobs = (partial(self._prepare, load) for load in photos)
        parts = []
        with progress_bar(purpose, "photo", len(photos)) as progress:
            for batch in prefetch_batches(jobs, batch_size=batch_size, threads=threads):
                parts.append(self.embeddings(batch))
                progress.update(len(batch))
        return np.concatenate(parts)

    def _prepare(self, load: Callable[[], Image.Image]) -> torch.Tensor:
        return self.preprocessing(load())
