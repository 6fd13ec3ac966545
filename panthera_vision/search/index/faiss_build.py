"""A FAISS index built and trained as its factory string says.

The strings are those of FAISS's index factory (https://github.com/facebookresearch/faiss/wiki/
The-index-factory), and FAISS is what judges them.
"""

from typing import Any

import faiss
import numpy as np

from panthera_vision.errors import UserError
from panthera_vision.search.index.faiss_backend import (
    FaissBackend,
    reason_of,
    set_search,
    threads,
    unannotated,
)

AUTOMATIC = "auto"
# Up to so many photos every vector is compared, which needs no tuning and misses nothing.
EXACT_UP_TO = 200_000
_ROWS_AT_ONCE = 8192
# FAISS wants 39 vectors a centroid at least and uses 256 at most; quantisers have 256 centroids.
_TRAINING_PER_CENTROID = 64
_TRAINING_OF_QUANTISERS = 256 * 100
_SEED = 17


def automatic(count: int) -> tuple[str, str]:
    """Factory and search settings recommended for `count` vectors: docs/search.md has the table."""
    if count <= EXACT_UP_TO:
        return "Flat", ""
    return "IVF1024,SQ8", "nprobe=32"


def build_faiss(vectors: np.ndarray, factory: str = "Flat", search: str = "") -> FaissBackend:
    """An engine for `vectors` (N, dimension), which may be a memory map: they are read in blocks.

    Args:
        vectors: float32.
        factory: FAISS's words for the kind of index, such as "HNSW32" or "IVF1024,SQ8".
        search: FAISS's words for how it searches, such as "nprobe=32"; "" for its defaults.

    Raises:
        UserError: FAISS can't build this, or not from so few vectors, or not for inner products.
    """
    count, dimension = vectors.shape
    try:
        index = faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
        if index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise UserError(f"index.factory = {factory!r}: it does not search by inner product")
        # The same vectors give the same graph only where one thread builds it.
        with threads(1 if "HNSW" in factory or "NSG" in factory else None):
            if not index.is_trained:
                _prepare_training(index, search)
                index.train(_training_vectors(index, vectors))
            for start in range(0, count, _ROWS_AT_ONCE):
                index.add(_block(vectors, slice(start, start + _ROWS_AT_ONCE)))
    except RuntimeError as error:
        raise UserError(
            f"index.factory = {factory!r}: FAISS can't build it from {count} vectors of "
            f"{dimension} numbers: {reason_of(error)}"
        ) from None
    set_search(index, search)
    return FaissBackend(index, None if _gives_back(index, vectors) else vectors)


def _prepare_training(index: faiss.Index, search: str) -> None:
    """Leave out of training what small collections do not allow and searches do not use."""
    trained: Any = faiss.downcast_index(_inverted_lists(index) or index)
    # Small collections are trained on what there is; FAISS would warn once a quantiser.
    parts: list[Any] = [trained, getattr(trained, "pq", None)]
    for part in parts:
        if hasattr(part, "cp"):
            part.cp.min_points_per_centroid = 1
    # Orders a quantiser's centroids for searches that are limited by Hamming distance ("ht="),
    # which takes far longer than everything else and is no use to others.
    if hasattr(trained, "do_polysemous_training") and "ht=" not in search:
        trained.do_polysemous_training = False


def _training_vectors(index: faiss.Index, vectors: np.ndarray) -> np.ndarray:
    """As many vectors as training needs, drawn evenly, the same ones each time."""
    lists = _inverted_lists(index)
    wanted = max(_TRAINING_OF_QUANTISERS, _TRAINING_PER_CENTROID * (lists.nlist if lists else 0))
    if wanted >= len(vectors):
        return _block(vectors, slice(None))
    drawn = np.random.default_rng(_SEED).choice(len(vectors), wanted, replace=False)
    return _block(vectors, np.sort(drawn))


def _gives_back(index: faiss.Index, vectors: np.ndarray) -> bool:
    """Whether the index has the vectors themselves; prepares it to give them back."""
    lists = _inverted_lists(index)
    some = np.unique(np.linspace(0, len(vectors) - 1, 100).astype(np.int64))
    try:
        if lists is not None:
            lists.make_direct_map()
        if np.array_equal(index.reconstruct_batch(some), vectors[some]):
            return True
    except RuntimeError:
        # This kind can't give any back.
        pass
    if lists is not None:
        lists.set_direct_map_type(unannotated.DirectMap.NoMap)
    return False


def _inverted_lists(index: faiss.Index) -> faiss.IndexIVF | None:
    return faiss.try_extract_index_ivf(index)


def _block(vectors: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors[rows], dtype=np.float32)
