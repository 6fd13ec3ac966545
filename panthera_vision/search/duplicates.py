"""Near-duplicate grouping: one photo represents each group in the results."""

from dataclasses import dataclass

import faiss
import numpy as np

from panthera_vision.io.progress import progress_bar

# Up to so many photos, every pair is compared.
COMPARED_EXACTLY = 50_000
# Above, photos are compared within inverted lists of about this length (coarse quantizer), each
# with those of its nearest lists: the cost grows with the number of photos, not its square.
_LIST_LENGTH = 800
_PROBES = 24
_TRAINING_PER_LIST = 64
_SEED = 17
_ROWS_PER_BLOCK = 2048


@dataclass(frozen=True)
class SimilarPairs:
    """Hold the pairs of similar vectors, and how much was compared to find them.

    Attributes:
        rows: of each pair, the smaller one first (P, 2), ascending, int64.
        comparisons: number of inner products.
    """

    rows: np.ndarray
    comparisons: int


def group_near_duplicates(pairs: np.ndarray, count: int) -> np.ndarray:
    """Number the groups of near-duplicates: (N,), int64, in the order of their first rows.

    Every photo of a group is a near-duplicate of the group's center. Chains, where each photo is
    similar to the next but the last no longer to the first, are cut; with them, a whole species
    would end up as one group.

    Args:
        pairs: rows of near-duplicates (P, 2), each pair once; see `find_similar_pairs`.
        count: N, the number of photos.
    """
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    counts = np.bincount(both[:, 0], minlength=count)
    begins = np.concatenate([[0], np.cumsum(counts)])
    group_of = np.full(count, -1, dtype=np.int64)
    # The photo with the most near-duplicates is the center of the first group, and so on.
    paired = np.flatnonzero(counts)
    for row in paired[np.lexsort((paired, -counts[paired]))]:
        if group_of[row] < 0:
            neighbors = both[begins[row] : begins[row + 1], 1]
            group_of[neighbors[group_of[neighbors] < 0]] = row
            group_of[row] = row
    alone = group_of < 0
    group_of[alone] = np.flatnonzero(alone)
    _, first_rows, numbers = np.unique(group_of, return_index=True, return_inverse=True)
    order = np.empty(len(first_rows), dtype=np.int64)
    order[np.argsort(first_rows)] = np.arange(len(first_rows))
    return order[numbers]


def find_similar_pairs(vectors: np.ndarray, similarity: float) -> SimilarPairs:
    """Find all pairs of at least this cosine similarity: a self-join.

    Up to `COMPARED_EXACTLY` vectors, it is exact. Above, it misses about one pair in a hundred
    (docs/search.md).

    Args:
        vectors: L2-normalized (N, dimension), float32; may be memory-mapped.
        similarity: the threshold.
    """
    if len(vectors) <= COMPARED_EXACTLY:
        return _compare_all(vectors, similarity)
    return _compare_within_lists(vectors, similarity)


def _compare_all(vectors: np.ndarray, similarity: float) -> SimilarPairs:
    found = [np.empty((0, 2), dtype=np.int64)]
    comparisons = 0
    starts = range(0, len(vectors), _ROWS_PER_BLOCK)
    for start in progress_bar("near-duplicates", "block", len(starts), starts):
        block, rest = vectors[start : start + _ROWS_PER_BLOCK], vectors[start:]
        first, second = np.nonzero(block @ rest.T >= np.float32(similarity))
        later = first < second
        found.append(start + np.stack([first[later], second[later]], axis=1))
        comparisons += len(block) * len(rest)
    return SimilarPairs(np.concatenate(found), comparisons)


def _compare_within_lists(vectors: np.ndarray, similarity: float) -> SimilarPairs:
    """Compare each vector with those in its `_PROBES` nearest inverted lists."""
    lists = _nearest_lists(vectors)
    homes = np.argsort(lists[:, 0], kind="stable")
    visitors = np.argsort(lists.ravel(), kind="stable") // lists.shape[1]
    numbers = np.arange(lists.max() + 2)
    home_begins = np.searchsorted(lists[homes, 0], numbers)
    visitor_begins = np.searchsorted(np.sort(lists.ravel()), numbers)
    found = [np.empty((0, 2), dtype=np.int64)]
    comparisons = 0
    for number in progress_bar("near-duplicates", "list", len(numbers) - 1, numbers[:-1]):
        members = homes[home_begins[number] : home_begins[number + 1]]
        asking = visitors[visitor_begins[number] : visitor_begins[number + 1]]
        if not len(members):
            continue
        candidates = vectors[members].T
        for start in range(0, len(asking), _ROWS_PER_BLOCK):
            queries = asking[start : start + _ROWS_PER_BLOCK]
            at, to = np.nonzero(vectors[queries] @ candidates >= np.float32(similarity))
            pairs = np.sort(np.stack([queries[at], members[to]], axis=1), axis=1)
            found.append(pairs[pairs[:, 0] < pairs[:, 1]])
            comparisons += len(queries) * len(members)
    return SimilarPairs(np.unique(np.concatenate(found), axis=0), comparisons)


def _nearest_lists(vectors: np.ndarray) -> np.ndarray:
    """Return the nearest lists of each vector, the nearest first (N, `_PROBES`)."""
    count = max(_PROBES, len(vectors) // _LIST_LENGTH)
    quantizer = faiss.Kmeans(
        vectors.shape[1],
        count,
        niter=10,
        seed=_SEED,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=_TRAINING_PER_LIST,
    )
    drawn = min(len(vectors), count * _TRAINING_PER_LIST)
    rows = np.random.default_rng(_SEED).choice(len(vectors), drawn, replace=False)
    quantizer.train(np.ascontiguousarray(vectors[np.sort(rows)], dtype=np.float32))
    parts = []
    starts = range(0, len(vectors), _ROWS_PER_BLOCK)
    for start in progress_bar("nearest lists", "block", len(starts), starts):
        block = np.ascontiguousarray(vectors[start : start + _ROWS_PER_BLOCK], dtype=np.float32)
        parts.append(quantizer.index.search(block, _PROBES)[1])
    return np.concatenate(parts)
