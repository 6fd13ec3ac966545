"""Measure how many neighbors an index finds (recall@10) and how long a search takes."""

import time
from dataclasses import dataclass

import numpy as np

from panthera_vision.search.index.backend import IndexBackend
from panthera_vision.search.index.brute_force import search_by_brute_force

_NEIGHBORS = 10
_QUERIES = 200
_TIMED_QUERIES = 50
_SEED = 17


@dataclass(frozen=True)
class SearchQuality:
    """Hold recall@10 against exact search, and the time of a search in milliseconds."""

    recall_at_10: float
    p50_ms: float
    p95_ms: float
    queries: int


class RecallTest:
    """Ask an index for the neighbors of some of its vectors, which exact search knows.

    The queries are vectors of the index, drawn at random; each is left out of its own results.
    """

    def __init__(self, vectors: np.ndarray) -> None:
        """Find the exact neighbors in `vectors` (N ≥ 2, dimension), L2-normalized, float32."""
        count = len(vectors)
        drawn = np.random.default_rng(_SEED).permutation(count)[:_QUERIES]
        self._rows = np.sort(drawn)
        self._queries = np.ascontiguousarray(vectors[self._rows], dtype=np.float32)
        self._depth = min(_NEIGHBORS + 1, count)
        _, found = search_by_brute_force(
            self._queries,
            self._depth,
            lambda rows: np.ascontiguousarray(vectors[rows[0] : rows[-1] + 1], dtype=np.float32),
            np.arange(count),
        )
        self._exact = self._others(found)

    def recall(self, backend: IndexBackend) -> float:
        """Return which share of the exact neighbors `backend` finds (recall@10)."""
        found = self._others(backend.search(self._queries, self._depth)[1])
        shares = [
            len(own & exact) / len(exact) for own, exact in zip(found, self._exact, strict=True)
        ]
        return float(np.mean(shares))

    def measure(self, backend: IndexBackend) -> SearchQuality:
        """Return recall and the time of single searches."""
        seconds = []
        for query in self._queries[:_TIMED_QUERIES]:
            start = time.perf_counter()
            backend.search(query[None], self._depth)
            seconds.append(time.perf_counter() - start)
        p50, p95 = (round(1000 * float(np.quantile(seconds, q)), 3) for q in (0.5, 0.95))
        return SearchQuality(round(self.recall(backend), 4), p50, p95, len(self._queries))

    def _others(self, found: np.ndarray) -> list[set[int]]:
        """Return the first ten rows of each query without itself."""
        results = zip(found.tolist(), self._rows.tolist(), strict=True)
        return [
            set([row for row in rows if row not in (-1, own)][:_NEIGHBORS]) for rows, own in results
        ]


def measure_search(backend: IndexBackend, vectors: np.ndarray) -> SearchQuality:
    """Measure an index of these vectors (N, dimension)."""
    if len(vectors) < 2:
        return SearchQuality(1.0, 0.0, 0.0, 0)
    return RecallTest(vectors).measure(backend)
