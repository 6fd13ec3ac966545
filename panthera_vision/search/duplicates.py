"""Near-duplicates: photos so alike that one of them stands for all in a list of results."""

import numpy as np

from panthera_vision.search.index.backend import IndexBackend

# Rows whose neighbours are looked for at a time, which bounds the memory.
_ROWS_AT_ONCE = 256
# How many neighbours are asked for at first; more where all of them are near-duplicates.
_NEIGHBOURS = 32


def group_near_duplicates(engine: IndexBackend, similarity: float) -> np.ndarray:
    """Number the groups of photos at least so similar: (N,), 0, 1, … in order of first rows.

    Each group has a photo in its middle that all others of it are similar to. Chains, where each
    photo is similar to the next and the last no longer to the first, are cut: with them, a whole
    species would end up as one group.

    The engine proposes, and the vectors themselves decide: what an engine that searches
    approximately finds not quite as similar as it is, or more so, is judged right.

    Args:
        engine: L2-normalised vectors.
        similarity: cosine similarity from which on two photos are near-duplicates.
    """
    count = len(engine)
    neighbours: list[np.ndarray] = []
    for start in range(0, count, _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, count))
        neighbours += _neighbours(engine, rows, similarity)
    group_of = np.full(count, -1, dtype=np.int64)
    # The photo with the most near-duplicates is the middle of the first group, and so on.
    for row in sorted(range(count), key=lambda row: (-len(neighbours[row]), row)):
        if group_of[row] < 0:
            free = neighbours[row][group_of[neighbours[row]] < 0]
            group_of[free] = row
            group_of[row] = row
    _, first_rows, numbers = np.unique(group_of, return_index=True, return_inverse=True)
    order = np.empty(len(first_rows), dtype=np.int64)
    order[np.argsort(first_rows)] = np.arange(len(first_rows))
    return order[numbers]


def _neighbours(engine: IndexBackend, rows: np.ndarray, similarity: float) -> list[np.ndarray]:
    """The rows at least so similar to each of `rows`, ascending."""
    queries = engine.vectors_at(rows)
    neighbours = [np.empty(0, dtype=np.int64)] * len(rows)
    pending = np.arange(len(rows))
    depth = min(_NEIGHBOURS, len(engine))
    while len(pending):
        _, found = engine.search(queries[pending], depth)
        candidates, at = np.unique(found, return_inverse=True)
        products = queries[pending] @ engine.vectors_at(np.maximum(candidates, 0)).T
        similarities = np.take_along_axis(products, at.reshape(found.shape), axis=1)
        alike = (similarities >= np.float32(similarity)) & (found >= 0)
        for number, row in enumerate(pending):
            neighbours[row] = np.sort(found[number, alike[number]])
        # Where all are near-duplicates, more may be.
        pending = pending[alike.all(axis=1) & (depth < len(engine))]
        depth = min(4 * depth, len(engine))
    return neighbours
