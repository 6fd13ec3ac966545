"""A collection's photos through the network, and what it gave as vectors to search by."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.optimized import resolve_precision
from panthera_vision.inference.options import Precision
from panthera_vision.inference.predictor import Predictor, default_device
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.atomic import PARTIAL_SUFFIX, remove_partial_files, sha256_of_file
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.embedding.cache import CHUNK, CacheKey, EmbeddingCache
from panthera_vision.search.embedding.embedder import vectors_of
from panthera_vision.search.embedding.whitening import Whitening

# Penultimate features as they are and, behind them, the logits of the classes: all kinds of
# embeddings are made of these, without another pass through the network.
_KIND = "features, logits"
_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class EmbeddingCounts:
    """What became of the photos: newly embedded, known already, and no longer wanted."""

    new: int
    kept: int
    removed: int

    def summary(self) -> str:
        """In words."""
        return f"{self.new:,} embedded, {self.kept:,} kept, {self.removed:,} removed"


def cache_key(model: TrainedModel, precision: Precision = "auto") -> CacheKey:
    """What the outputs of `model`, computed in `precision` on this machine, go by."""
    chosen = resolve_precision(precision, default_device(), BACKBONES[model.backbone])
    return CacheKey(model.fingerprint, f"{_KIND} in {chosen}")


def embed_collection(
    predictor: Predictor,
    photos: Sequence[str],
    paths: Sequence[Path],
    store: EmbeddingCache,
    *,
    batch_size: int,
    threads: int,
) -> EmbeddingCounts:
    """Put through the network what `store` lacks, drop what is gone.

    Every batch is filled up to `batch_size`, as the network's last digits hang on a batch's size,
    not on what else is in it: a photo gets the same numbers whenever it is embedded.

    Args:
        predictor: the network.
        photos: the SHA-256 of each photo's file.
        paths: the files.
        store: is added to chunk by chunk, so that an interrupted run goes on from there.
        batch_size: photos a pass.
        threads: decode ahead.

    Raises:
        UserError: a file can't be read as a photo, or is not the one that `photos` says.
    """
    missing = store.missing(photos)
    kept = len(set(photos)) - len(missing)
    jobs = (partial(_load, predictor, paths[at], photos[at]) for at in missing)
    waiting: list[np.ndarray] = []
    saved = 0
    with progress_bar("embed", "photo", len(missing)) as progress:
        for batch in prefetch_batches(jobs, batch_size=batch_size, threads=threads):
            waiting.extend(_outputs(predictor, batch, batch_size))
            progress.update(len(batch))
            if len(waiting) >= CHUNK or saved + len(waiting) == len(missing):
                now = missing[saved : saved + len(waiting)]
                store.add([photos[at] for at in now], np.stack(waiting))
                saved += len(waiting)
                waiting.clear()
    return EmbeddingCounts(len(missing), kept, store.retain(photos))


def outputs_of(
    predictor: Predictor,
    photos: Sequence[str],
    paths: Sequence[Path],
    store: EmbeddingCache,
    *,
    batch_size: int,
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, dimension) and logits (N, classes) of some thousands of photos.

    What `store` has comes from there; the others are put through the network, and not kept.
    Arguments and errors are those of `embed_collection`.
    """
    absent = {photos[at] for at in store.missing(photos)}
    known = [at for at, photo in enumerate(photos) if photo not in absent]
    fresh = [at for at, photo in enumerate(photos) if photo in absent]
    parts = [store.gather([photos[at] for at in known])] if known else []
    jobs = (partial(_load, predictor, paths[at], photos[at]) for at in fresh)
    with progress_bar("embed", "photo", len(fresh)) as progress:
        for batch in prefetch_batches(jobs, batch_size=batch_size, threads=threads):
            parts.append(_outputs(predictor, batch, batch_size))
            progress.update(len(batch))
    rows = np.concatenate(parts)[np.argsort(known + fresh)]
    dimension = predictor.model.classifier.head.in_features
    return rows[:, :dimension], rows[:, dimension:]


@contextmanager
def collection_vectors(
    store: EmbeddingCache,
    photos: Sequence[str],
    model: TrainedModel,
    folder: Path,
    whitening: Whitening | None = None,
) -> Iterator[np.ndarray]:
    """The vectors (N, dimension) of `photos` (SHA-256s), in order, whitened where that is given.

    They are a map of a file in `folder` that goes with the context: a million photos take 5 GB.

    Raises:
        UserError: `store` lacks some of the photos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_partial_files(folder)
    files = [folder / f"{name}{PARTIAL_SUFFIX}" for name in ("outputs", "vectors")]
    try:
        outputs = store.gather(photos, files[0])
        features = model.classifier.head.in_features
        dimension = features if whitening is None else outputs.shape[1]
        vectors = np.lib.format.open_memmap(
            files[1], mode="w+", dtype=np.float32, shape=(len(photos), dimension)
        )
        for start in range(0, len(photos), _ROWS_AT_ONCE):
            block = outputs[start : start + _ROWS_AT_ONCE]
            vectors[start : start + _ROWS_AT_ONCE] = vectors_of(
                block[:, :features], block[:, features:], whitening
            )
        yield vectors
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _outputs(predictor: Predictor, photos: torch.Tensor, batch_size: int) -> np.ndarray:
    """Features and logits side by side (N, width) of N ≤ `batch_size` preprocessed photos."""
    count = len(photos)
    outputs = predictor.outputs(photos[torch.arange(batch_size) % count])
    return torch.cat([outputs.features, outputs.logits], dim=1)[:count].numpy()


def _load(predictor: Predictor, path: Path, sha256: str) -> torch.Tensor:
    preprocessing = predictor.model.preprocessing
    photo = open_photo(path, preprocessing.min_decoded_side)
    if sha256_of_file(path) != sha256:
        raise UserError(f"{path} was changed since it was fetched; `dvc repro` fetches it again")
    return preprocessing(photo)
