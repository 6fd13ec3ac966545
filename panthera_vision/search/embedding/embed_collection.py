"""Embed the photos of a collection: network outputs into the cache, and vectors out of it."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.optimized import resolve_precision
from panthera_vision.inference.options import Precision
from panthera_vision.inference.predictor import Predictor, default_device
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.atomic import PARTIAL_SUFFIX, remove_partial_files, sha256_of_file
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.embedding.cache import (
    CHUNK,
    CacheKey,
    EmbeddingCache,
    create_cache,
    has_key,
)
from panthera_vision.search.embedding.embedder import combine_vectors, padded_dimension
from panthera_vision.search.embedding.whitening import Whitening, fit_whitening

# Penultimate features followed by class logits: every kind of embedding is computed from these,
# without another pass through the network.
_KIND = "features, logits"
_ROWS_PER_BLOCK = 8192
_SHARDS = "shards"


@dataclass(frozen=True)
class PhotoFiles:
    """Hold photo files with the SHA-256 of each, by which the cache knows them."""

    sha256: Sequence[str]
    paths: Sequence[Path]

    def at(self, rows: Sequence[int]) -> "PhotoFiles":
        """Return the files at these positions."""
        return PhotoFiles([self.sha256[row] for row in rows], [self.paths[row] for row in rows])


@dataclass(frozen=True)
class EmbeddingCounts:
    """Count the photos that were embedded, were in the cache, and were removed from it."""

    new: int
    kept: int
    removed: int

    def summary(self) -> str:
        """Return the counts as text."""
        return f"{self.new:,} embedded, {self.kept:,} kept, {self.removed:,} removed"


def cache_key(model: TrainedModel, precision: Precision = "auto") -> CacheKey:
    """Return the cache key of outputs of `model` in `precision` on this machine."""
    chosen = resolve_precision(precision, default_device(), model.backbone)
    return CacheKey(model.fingerprint, f"{_KIND} in {chosen}")


def embed_collection(
    predictor: Predictor, files: PhotoFiles, cache: EmbeddingCache, *, batch_size: int, threads: int
) -> EmbeddingCounts:
    """Embed the photos that `cache` lacks; remove those that are not among `files`.

    The cache grows chunk by chunk, so an interrupted run resumes where it stopped.

    Args:
        predictor: the network.
        files: all photos of the collection.
        cache: of this network's outputs.
        batch_size: photos per forward pass.
        threads: that decode ahead.

    Raises:
        UserError: a file is not a readable photo, or has changed.
    """
    missing = cache.missing(files.sha256)
    todo = files.at(missing)
    waiting: list[np.ndarray] = []
    saved = 0
    for outputs in _network_outputs(predictor, todo, batch_size, threads):
        waiting.extend(outputs)
        if len(waiting) >= CHUNK or saved + len(waiting) == len(missing):
            cache.add(todo.sha256[saved : saved + len(waiting)], np.stack(waiting))
            saved += len(waiting)
            waiting.clear()
    kept = len(set(files.sha256)) - len(missing)
    return EmbeddingCounts(len(missing), kept, cache.retain(files.sha256))


def embed_distributed(
    predictor: Predictor,
    files: PhotoFiles,
    folder: Path,
    *,
    batch_size: int,
    threads: int,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> EmbeddingCounts:
    """Embed a collection with several processes, each a shard; the main process merges them.

    A shard is a cache of its own inside the collection's cache. If a run is interrupted, the next
    one, with any number of processes, merges its shards.

    Network and files are the same in every process, `folder` (of the cache) is shared. The counts
    are of the whole collection; in other processes than the main one, of their shard.

    Raises:
        UserError: as `embed_collection`; or photos or models differ, or the folder is not shared.
    """
    key = cache_key(predictor.model, predictor.precision)
    processes.require_same(list(files.sha256), "the table of photos")
    processes.require_same(key, "the model or its precision")
    embed = partial(embed_collection, predictor, batch_size=batch_size, threads=threads)
    cache: EmbeddingCache | None = None
    missing: list[int] = []
    if processes.is_main:
        cache = create_cache(folder, key)
        _merge_shards(cache, folder, key)
        missing = cache.missing(files.sha256)
    if cache is not None and processes.world_size == 1:
        return embed(files, cache)
    missing = processes.broadcast(missing)
    shard = create_cache(folder / _SHARDS / f"{processes.rank:04d}", key)
    own = embed(files.at(processes.shard(missing)), shard)
    processes.all_gather(None)  # wait until all shards are complete
    if cache is None:
        return own
    _merge_shards(cache, folder, key)
    if absent := cache.missing(files.sha256):
        raise UserError(
            f"{len(absent):,} photos that other machines embedded are not in {folder}: copy their "
            f"{folder / _SHARDS} here and run this again, by one process; nothing is embedded twice"
        )
    kept = len(set(files.sha256)) - len(missing)
    return EmbeddingCounts(len(missing), kept, cache.retain(files.sha256))


def draw_fitting_photos(photos: pd.DataFrame, *, count: int, seed: int) -> pd.DataFrame:
    """Draw at most `count` photos of the classifier's table, none of the test split.

    Photos of the collection are not used: its vectors would change with every new photo, and the
    whole index would have to be rebuilt.

    Raises:
        UserError: all photos are in the test split.
    """
    rows = np.flatnonzero((photos["split"] != "test").to_numpy())
    if not len(rows):
        raise UserError(
            "the classifier's table has no photo outside the test split to fit the whitening on"
        )
    if len(rows) > count:
        rows = np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))
    return photos.iloc[rows].reset_index(drop=True)


def fit_whitening_on_photos(
    predictor: Predictor,
    files: PhotoFiles,
    species: Sequence[str],
    cache: EmbeddingCache,
    *,
    batch_size: int,
    threads: int,
) -> Whitening:
    """Fit the whitening on some thousands of photos, within the species that the model predicts.

    A feature network predicts none: it is fitted within the given `species` of the photos. Outputs
    come from `cache` where it has them. Others are computed and not kept. The other arguments and
    the errors are those of `embed_collection`.
    """
    absent = {files.sha256[row] for row in cache.missing(files.sha256)}
    cached = [row for row, sha256 in enumerate(files.sha256) if sha256 not in absent]
    new = [row for row, sha256 in enumerate(files.sha256) if sha256 in absent]
    parts = [cache.gather(files.at(cached).sha256)] if cached else []
    parts += _network_outputs(predictor, files.at(new), batch_size, threads)
    outputs = np.concatenate(parts)[np.argsort(cached + new)]
    dimension = predictor.model.classifier.head.in_features
    if predictor.model.class_names:
        return fit_whitening(outputs[:, :dimension], outputs[:, dimension:].argmax(axis=1))
    return fit_whitening(outputs[:, :dimension], np.asarray(species))


@contextmanager
def collection_vectors(
    cache: EmbeddingCache,
    photos: Sequence[str],
    model: TrainedModel,
    folder: Path,
    whitening: Whitening | None = None,
) -> Iterator[np.ndarray]:
    """Compute the vectors (N, dimension) of `photos` (SHA-256s), in order, from the cache.

    They are memory-mapped to a temporary file in `folder`: a million photos take 5 GB.

    Raises:
        UserError: the cache lacks some of the photos.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_partial_files(folder)
    files = [folder / f"{name}{PARTIAL_SUFFIX}" for name in ("outputs", "vectors")]
    try:
        outputs = cache.gather(photos, files[0])
        features = model.classifier.head.in_features
        dimension = padded_dimension(features if whitening is None else outputs.shape[1])
        vectors = np.lib.format.open_memmap(
            files[1], mode="w+", dtype=np.float32, shape=(len(photos), dimension)
        )
        for start in range(0, len(photos), _ROWS_PER_BLOCK):
            block = outputs[start : start + _ROWS_PER_BLOCK]
            vectors[start : start + _ROWS_PER_BLOCK] = combine_vectors(
                block[:, :features], block[:, features:], whitening
            )
        yield vectors
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _network_outputs(
    predictor: Predictor, files: PhotoFiles, batch_size: int, threads: int
) -> Iterator[np.ndarray]:
    """Yield features and logits side by side (≤ batch_size, width) of each batch of photos.

    The last batch is padded to `batch_size`: the last digits of a network's outputs depend on the
    batch size, so a photo gets the same numbers whenever it is embedded.
    """
    pairs = zip(files.paths, files.sha256, strict=True)
    jobs = (partial(_load, predictor, path, sha256) for path, sha256 in pairs)
    with progress_bar("embed", "photo", len(files.paths)) as progress:
        for photos in prefetch_batches(jobs, batch_size=batch_size, threads=threads):
            count = len(photos)
            outputs = predictor.outputs(photos[torch.arange(batch_size) % count])
            yield torch.cat([outputs.features, outputs.logits], dim=1)[:count].numpy()
            progress.update(count)


def _load(predictor: Predictor, path: Path, sha256: str) -> torch.Tensor:
    preprocessing = predictor.model.preprocessing
    photo = open_photo(path, preprocessing.min_decoded_side)
    if sha256_of_file(path) != sha256:
        raise UserError(
            f"{path} has changed since it was downloaded; `dvc repro` downloads it again"
        )
    return preprocessing(photo)


def _merge_shards(cache: EmbeddingCache, folder: Path, key: CacheKey) -> None:
    for shard in sorted((folder / _SHARDS).glob("*/")):
        if has_key(shard, key):
            cache.absorb(shard)
    shutil.rmtree(folder / _SHARDS, ignore_errors=True)
