"""Search exactly by brute force over blocks of vectors, without an index."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import faiss
import numpy as np

from panthera_vision.search.index.faiss_build import omp_threads, untyped_faiss

# From this many queries on, FAISS multiplies matrices, which reads the vectors once for all.
QUERIES_FOR_BLAS = 20
_ROWS_PER_BLOCK = 8192


def threads_for(queries: np.ndarray) -> AbstractContextManager[None]:
    """Use all cores for a batch; more than one slow down a single search: docs/search.md."""
    return omp_threads(None if len(queries) >= QUERIES_FOR_BLAS else 1)


def search_by_brute_force(
    queries: np.ndarray,
    k: int,
    vectors_at: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest of `rows` by inner product.

    Args:
        queries: (Q, dimension), float32.
        k: number of neighbors.
        vectors_at: returns the vectors (n, dimension) of rows (n,).
        rows: to search (N,), int64.

    Returns:
        Inner products (Q, k), highest first, and rows (Q, k); row -1 where there are fewer.
    """
    similarities = np.full((len(queries), k), -np.inf, dtype=np.float32)
    found = np.full((len(queries), k), -1, dtype=np.int64)
    for start in range(0, len(rows), _ROWS_PER_BLOCK):
        block = rows[start : start + _ROWS_PER_BLOCK]
        with threads_for(queries):
            products, at = untyped_faiss.knn(
                queries, vectors_at(block), k, metric=faiss.METRIC_INNER_PRODUCT
            )
        products[at < 0] = -np.inf  # FAISS returns -1 where a block has fewer
        merged = np.concatenate([similarities, products], axis=1)
        merged_rows = np.concatenate([found, np.where(at < 0, -1, block[at])], axis=1)
        best = np.argsort(-merged, axis=1, kind="stable")[:, :k]
        similarities = np.take_along_axis(merged, best, axis=1)
        found = np.take_along_axis(merged_rows, best, axis=1)
    return similarities, found
