"""Near-duplicate grouping: one photo represents each group in the results."""

import numpy as np

from panthera_vision.search.index.backend import IndexBackend

# Rows whose neighbors are searched at a time, which bounds the memory.
_ROWS_PER_BATCH = 256
# Neighbors of the first search; it goes deeper where all of them are near-duplicates.
_NEIGHBORS = 32


def group_near_duplicates(backend: IndexBackend, similarity: float) -> np.ndarray:
    """Number the groups of near-duplicates: (N,), int64, in the order of their first rows.

    Every photo of a group is a near-duplicate of the group's center. Chains, where each photo is
    similar to the next but the last no longer to the first, are cut; with them, a whole species
    would end up as one group.

    The backend proposes candidates and the original vectors decide, so that an approximate index
    gives exact similarities.

    Args:
        backend: holds L2-normalized vectors.
        similarity: cosine similarity from which two photos are near-duplicates.
    """
    count = len(backend)
    neighbors: list[np.ndarray] = []
    for start in range(0, count, _ROWS_PER_BATCH):
        rows = np.arange(start, min(start + _ROWS_PER_BATCH, count))
        neighbors += _similar_rows(backend, rows, similarity)
    group_of = np.full(count, -1, dtype=np.int64)
    # The photo with the most near-duplicates is the center of the first group, and so on.
    for row in sorted(range(count), key=lambda row: (-len(neighbors[row]), row)):
        if group_of[row] < 0:
            free = neighbors[row][group_of[neighbors[row]] < 0]
            group_of[free] = row
            group_of[row] = row
    _, first_rows, numbers = np.unique(group_of, return_index=True, return_inverse=True)
    order = np.empty(len(first_rows), dtype=np.int64)
    order[np.argsort(first_rows)] = np.arange(len(first_rows))
    return order[numbers]


def _similar_rows(backend: IndexBackend, rows: np.ndarray, similarity: float) -> list[np.ndarray]:
    """Return the rows at least so similar to each of `rows`, ascending."""
    queries = backend.vectors_at(rows)
    neighbors = [np.empty(0, dtype=np.int64)] * len(rows)
    pending = np.arange(len(rows))
    depth = min(_NEIGHBORS, len(backend))
    while len(pending):
        _, found = backend.search(queries[pending], depth)
        candidates, at = np.unique(found, return_inverse=True)
        products = queries[pending] @ backend.vectors_at(np.maximum(candidates, 0)).T
        similarities = np.take_along_axis(products, at.reshape(found.shape), axis=1)
        alike = (similarities >= np.float32(similarity)) & (found >= 0)
        for number, row in enumerate(pending):
            neighbors[row] = np.sort(found[number, alike[number]])
        # Where all are near-duplicates, there may be more.
        pending = pending[alike.all(axis=1) & (depth < len(backend))]
        depth = min(4 * depth, len(backend))
    return neighbors
