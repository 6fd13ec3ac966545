"""Near-duplicates: photos so alike that one of them stands for all in a list of results."""

from itertools import pairwise

import faiss
import numpy as np

# Rows that are compared with all at a time, which bounds the memory.
_ROWS_AT_ONCE = 1024


def duplicate_groups(vectors: faiss.Index, similarity: float) -> np.ndarray:
    """Number the groups of photos at least so similar: (N,), 0, 1, … in order of first rows.

    Each group has a photo in its middle that all others of it are similar to. Chains, where each
    photo is similar to the next and the last no longer to the first, are cut: with them, a whole
    species would end up as one group.

    Args:
        vectors: an index of inner products of L2-normalised vectors.
        similarity: cosine similarity from which on two photos are near-duplicates.
    """
    neighbours = _neighbours(vectors, similarity)
    group_of = np.full(vectors.ntotal, -1, dtype=np.int64)
    # The photo with the most near-duplicates is the middle of the first group, and so on.
    for row in sorted(range(vectors.ntotal), key=lambda row: (-len(neighbours[row]), row)):
        if group_of[row] < 0:
            free = neighbours[row][group_of[neighbours[row]] < 0]
            group_of[free] = row
            group_of[row] = row
    _, first_rows, numbers = np.unique(group_of, return_index=True, return_inverse=True)
    order = np.empty(len(first_rows), dtype=np.int64)
    order[np.argsort(first_rows)] = np.arange(len(first_rows))
    return order[numbers]


def _neighbours(vectors: faiss.Index, similarity: float) -> list[np.ndarray]:
    """The rows at least so similar to each row."""
    neighbours: list[np.ndarray] = []
    for start in range(0, vectors.ntotal, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, vectors.ntotal - start)
        queries = vectors.reconstruct_n(start, count)
        # FAISS keeps what is above the radius; a similarity that is just reached counts too.
        radius = float(np.nextafter(np.float32(similarity), np.float32(-1)))
        limits, _, rows = vectors.range_search(queries, radius)
        neighbours += [np.sort(rows[a:b]) for a, b in pairwise(limits.tolist())]
    return neighbours
