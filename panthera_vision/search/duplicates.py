"""Near-duplicate grouping: one photo represents each group in the results."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from panthera_vision.io.progress import progress_bar
from panthera_vision.search.same_shot import confirm_pairs

# Vectors so similar belong to copies: their pixels need no look.
CERTAIN_SIMILARITY = 0.95
# Of pairs that are less certain, so many for each photo are looked at, the most similar ones: what
# a collection costs grows with its photos, not with their pairs.
_PAIRS_PER_PHOTO = 0.2
_FEWEST_PAIRS = 10_000
# Up to so many photos, every pair is compared.
COMPARED_EXACTLY = 50_000
# Above, photos are compared within inverted lists of about this length (coarse quantizer), each
# with those of its nearest lists: the cost grows with the number of photos, not its square.
_LIST_LENGTH = 800
_PROBES = 24
_TRAINING_PER_LIST = 64
# So many visitors of a list pay for a copy of some of its members, if those are few.
_FEWEST_VISITORS, _MOST_TARGETS = 32, 0.8
_SEED = 17
_ROWS_PER_BLOCK = 2048


@dataclass(frozen=True)
class NearDuplicates:
    """Hold each photo's group of near-duplicates, and how many pairs led there.

    Attributes:
        groups: number of each photo's group (N,), int64; see `group_near_duplicates`.
        similar: pairs of similar vectors.
        same_shot: those whose pixels show the same shot, or that are certain without a look.
        unreadable: those that could not be compared, as a photo can't be read.
    """

    groups: np.ndarray
    similar: int
    same_shot: int
    unreadable: int


@dataclass(frozen=True)
class SimilarPairs:
    """Hold the pairs of similar vectors, and how much was compared to find them.

    Attributes:
        rows: of each pair, the smaller one first (P, 2), ascending, int64.
        similarities: of each pair (P,), float32.
        comparisons: number of inner products.
    """

    rows: np.ndarray
    similarities: np.ndarray
    comparisons: int


def find_near_duplicates(
    vectors: np.ndarray, path_of: Callable[[int], Path | None], similarity: float
) -> NearDuplicates:
    """Group photos that show the same shot: similar vectors first, then their pixels.

    Args:
        vectors: L2-normalized (N, dimension), float32; may be memory-mapped.
        path_of: returns the file of a row; None if there is none that may be read.
        similarity: cosine similarity from which the pixels of a pair are compared.
    """
    at_most = max(_FEWEST_PAIRS, int(_PAIRS_PER_PHOTO * len(vectors)))
    pairs = find_similar_pairs(vectors, similarity, at_most)
    doubtful = pairs.similarities < CERTAIN_SIMILARITY
    confirmed = confirm_pairs(pairs.rows[doubtful], path_of)
    kept = ~doubtful
    kept[doubtful] = confirmed.same_shot
    return NearDuplicates(
        group_near_duplicates(pairs.rows[kept], len(vectors)),
        similar=len(pairs.rows),
        same_shot=int(kept.sum()),
        unreadable=confirmed.unreadable,
    )


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


def find_similar_pairs(vectors: np.ndarray, similarity: float, at_most: int) -> SimilarPairs:
    """Find the pairs of at least this cosine similarity: a self-join.

    Up to `COMPARED_EXACTLY` vectors, it is exact. Above, it may miss a few of the pairs
    (docs/search.md: one of 21,055).

    Args:
        vectors: L2-normalized (N, dimension), float32; may be memory-mapped.
        similarity: the threshold.
        at_most: of the pairs less similar than `CERTAIN_SIMILARITY`, so many are kept, the most
            similar ones, which bounds the memory.
    """
    found = _Pairs(similarity, at_most)
    if len(vectors) <= COMPARED_EXACTLY:
        comparisons = _compare_all(vectors, found)
    else:
        comparisons = _compare_within_lists(vectors, found)
    return SimilarPairs(*found.all(), comparisons)


class _Pairs:
    """Collect pairs; with too many doubtful ones, raise the threshold and drop the rest."""

    def __init__(self, similarity: float, at_most: int) -> None:
        self.threshold = np.float32(similarity)
        self._at_most = at_most
        self._rows = [np.empty((0, 2), dtype=np.int64)]
        self._similarities = [np.empty(0, dtype=np.float32)]
        self._added = 0

    def add(self, rows: np.ndarray, similarities: np.ndarray) -> None:
        self._rows.append(rows)
        self._similarities.append(similarities.astype(np.float32))
        self._added += len(rows)
        if self._added > 2 * self._at_most:
            self._merge()

    def all(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the pairs, ascending and each once, and their similarities."""
        self._merge()
        return self._rows[0], self._similarities[0]

    def _merge(self) -> None:
        rows, first = np.unique(np.concatenate(self._rows), axis=0, return_index=True)
        similarities = np.concatenate(self._similarities)[first]
        doubtful = np.flatnonzero(similarities < CERTAIN_SIMILARITY)
        if len(doubtful) > self._at_most:
            order = np.argsort(-similarities[doubtful], kind="stable")
            dropped = doubtful[order[self._at_most :]]
            self.threshold = max(self.threshold, similarities[dropped[0]])
            rows = np.delete(rows, dropped, axis=0)
            similarities = np.delete(similarities, dropped)
        self._rows, self._similarities = [rows], [similarities]
        # Pairs that are certain are all kept: they must not lead to a merge at every addition.
        self._added = min(len(rows), self._at_most)


def _compare_all(vectors: np.ndarray, found: _Pairs) -> int:
    comparisons = 0
    starts = range(0, len(vectors), _ROWS_PER_BLOCK)
    for start in progress_bar("near-duplicates", "block", len(starts), starts):
        block, rest = vectors[start : start + _ROWS_PER_BLOCK], vectors[start:]
        similarities = block @ rest.T
        first, second = np.nonzero(similarities >= found.threshold)
        later = first < second
        first, second = first[later], second[later]
        found.add(start + np.stack([first, second], axis=1), similarities[first, second])
        comparisons += len(block) * len(rest)
    return comparisons


def _compare_within_lists(vectors: np.ndarray, found: _Pairs) -> int:
    """Compare each vector with those in its `_PROBES` nearest inverted lists."""
    lists = _nearest_lists(vectors)
    homes = np.argsort(lists[:, 0], kind="stable")
    visitors = np.argsort(lists.ravel(), kind="stable") // lists.shape[1]
    numbers = np.arange(lists.max() + 2)
    home_begins = np.searchsorted(lists[homes, 0], numbers)
    visitor_begins = np.searchsorted(np.sort(lists.ravel()), numbers)
    comparisons = 0
    for number in progress_bar("near-duplicates", "list", len(numbers) - 1, numbers[:-1]):
        members = homes[home_begins[number] : home_begins[number + 1]]
        asking = visitors[visitor_begins[number] : visitor_begins[number + 1]]
        if not len(members):
            continue
        candidates = vectors[members]
        for queries, targets in _uncompared(lists, number, members, asking):
            others, columns = members[targets], candidates[targets].T
            for start in range(0, len(queries), _ROWS_PER_BLOCK):
                block = queries[start : start + _ROWS_PER_BLOCK]
                similarities = vectors[block] @ columns
                at, to = np.nonzero(similarities >= found.threshold)
                pairs = np.stack([block[at], others[to]], axis=1)
                apart = pairs[:, 0] != pairs[:, 1]
                found.add(np.sort(pairs[apart], axis=1), similarities[at, to][apart])
            comparisons += len(queries) * len(others)
    return comparisons


def _uncompared(
    lists: np.ndarray, number: int, members: np.ndarray, visitors: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray | slice]]:
    """Yield groups of the visitors of a list, and which of its members to compare them with.

    A member that visits the visitor's own list, an earlier one, was compared with it there. Where
    visits are mutual, that is half of the work.
    """
    own = lists[visitors, 0]
    order = np.argsort(own, kind="stable")
    earlier, begins = np.unique(own[order], return_index=True)
    compared_with_all = []
    lists_of_members = lists[members]
    for home, group in zip(earlier, np.split(visitors[order], begins[1:]), strict=True):
        if home < number and len(group) >= _FEWEST_VISITORS:
            targets = np.flatnonzero((lists_of_members != home).all(axis=1))
            if len(targets) <= _MOST_TARGETS * len(members):
                yield group, targets
                continue
        compared_with_all.append(group)
    yield np.concatenate(compared_with_all), slice(None)


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
