"""What a search asks of whatever holds the vectors, be it FAISS or a database."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from panthera_vision.search.filters import PhotoFilter


@dataclass(frozen=True)
class RowFilter:
    """Which photos may come back.

    Attributes:
        rows: their rows in the index's table, ascending, int64.
        wanted: the filter that gives just these rows, where there is one; an engine that filters
            by itself may use it instead.
    """

    rows: np.ndarray
    wanted: PhotoFilter | None = None


class IndexBackend(Protocol):
    """Vectors numbered by the rows of the index's table, searched by inner product."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        ...

    def __len__(self) -> int:
        """How many vectors there are."""
        ...

    def search(
        self, queries: np.ndarray, count: int, selection: RowFilter | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The `count` ≥ 1 vectors most similar to each of the queries (Q, dimension), float32.

        Returns:
            Inner products (Q, count), float32, best first, and rows (Q, count), int64; -1 in the
            place of a row where there are fewer.
        """
        ...

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """The vectors (len(rows), dimension) of these rows, float32, as they were put in."""
        ...
