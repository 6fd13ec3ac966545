"""Build and train a FAISS index from an index factory string.

FAISS itself judges the strings: https://github.com/facebookresearch/faiss/wiki/The-index-factory
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np

from panthera_vision.errors import UserError

# FAISS creates much of its API at import, which its type annotations do not cover.
untyped_faiss: Any = faiss

_ROWS_PER_BLOCK = 8192
# FAISS wants at least 39 training vectors per centroid and uses at most 256; quantizers have 256
# centroids.
_TRAINING_PER_CENTROID = 64
_TRAINING_PER_QUANTIZER = 256 * 100
_SEED = 17


def build_faiss_index(vectors: np.ndarray, factory: str, search: str) -> tuple[faiss.Index, bool]:
    """Build an inner-product index of `vectors` (N, dimension), read block by block.

    Args:
        vectors: float32; may be memory-mapped.
        factory: index factory string, such as "HNSW32" or "IVF1024,SQ8".
        search: search parameters, such as "nprobe=32"; "" for FAISS's defaults.

    Returns:
        The index, and whether it can reconstruct the vectors exactly.

    Raises:
        UserError: FAISS cannot build this, or not from so few vectors, or not for inner products.
    """
    count, dimension = vectors.shape
    try:
        index = faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
        if index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise UserError(f"index.factory = {factory!r}: it does not search by inner product")
        # A graph is deterministic only if one thread builds it.
        with omp_threads(1 if "HNSW" in factory or "NSG" in factory else None):
            if not index.is_trained:
                _prepare_training(index, search)
                index.train(_training_vectors(index, vectors))
            for start in range(0, count, _ROWS_PER_BLOCK):
                index.add(_block(vectors, slice(start, start + _ROWS_PER_BLOCK)))
    except RuntimeError as error:
        raise UserError(
            f"index.factory = {factory!r}: FAISS can't build it from {count} vectors of "
            f"{dimension} numbers: {faiss_reason(error)}"
        ) from None
    set_search_parameters(index, search)
    return index, _reconstructs(index, vectors)


def set_search_parameters(index: faiss.Index, search: str) -> None:
    """Set the search parameters of an index, in FAISS's syntax, such as "nprobe=32".

    Raises:
        UserError: this kind of index does not have them.
    """
    if not search:
        return
    try:
        untyped_faiss.ParameterSpace().set_index_parameters(index, search)
        nearest = index.search(np.zeros((1, index.d), dtype=np.float32), 1)[1]
    except RuntimeError as error:
        raise UserError(f"index.search = {search!r}: {faiss_reason(error)}") from None
    if nearest[0, 0] < 0:
        raise UserError(f"index.search = {search!r}: searches with it return no results")


def faiss_reason(error: RuntimeError) -> str:
    """Return FAISS's error message without the place in its source."""
    message = " ".join(str(error).split())
    message = message.rpartition(" failed: ")[2] if " failed: " in message else message
    return message.rpartition("cpp:")[2].partition(": ")[2] if "cpp:" in message else message


@contextmanager
def omp_threads(count: int | None = None) -> Iterator[None]:
    """Let FAISS use `count` threads, by default one per processor, and restore the count after."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count or os.cpu_count() or 1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _prepare_training(index: faiss.Index, search: str) -> None:
    """Switch off training checks that small collections fail, and training that goes unused."""
    trained: Any = faiss.downcast_index(faiss.try_extract_index_ivf(index) or index)
    # Small collections are trained on all they have; FAISS would warn once per quantizer.
    parts: list[Any] = [trained, getattr(trained, "pq", None)]
    for part in parts:
        if hasattr(part, "cp"):
            part.cp.min_points_per_centroid = 1
    # Polysemous training serves only searches limited by Hamming distance ("ht="), and takes far
    # longer than everything else.
    if hasattr(trained, "do_polysemous_training") and "ht=" not in search:
        trained.do_polysemous_training = False


def _training_vectors(index: faiss.Index, vectors: np.ndarray) -> np.ndarray:
    """Draw as many vectors as training needs, with a fixed seed."""
    ivf = faiss.try_extract_index_ivf(index)
    wanted = max(_TRAINING_PER_QUANTIZER, _TRAINING_PER_CENTROID * (ivf.nlist if ivf else 0))
    if wanted >= len(vectors):
        return _block(vectors, slice(None))
    drawn = np.random.default_rng(_SEED).choice(len(vectors), wanted, replace=False)
    return _block(vectors, np.sort(drawn))


def _reconstructs(index: faiss.Index, vectors: np.ndarray) -> bool:
    """Return whether the index reconstructs vectors exactly; add the map that IVF needs for it."""
    ivf = faiss.try_extract_index_ivf(index)
    sample = np.unique(np.linspace(0, len(vectors) - 1, 100).astype(np.int64))
    try:
        if ivf is not None:
            ivf.make_direct_map()
        if np.array_equal(index.reconstruct_batch(sample), vectors[sample]):
            return True
    except RuntimeError:  # this kind cannot reconstruct at all
        pass
    if ivf is not None:
        ivf.set_direct_map_type(untyped_faiss.DirectMap.NoMap)
    return False


def _block(vectors: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors[rows], dtype=np.float32)
