"""Vectors in a FAISS index."""

from pathlib import Path

import faiss
import numpy as np

from panthera_vision.files import write_whole
from panthera_vision.search.engine import Selection


class FaissEngine:
    """A `VectorEngine` in this process's memory."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self, queries: np.ndarray, count: int, selection: Selection | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The vectors most similar to each query; see `VectorEngine`."""
        parameters = None
        if selection is not None:
            # FAISS adds this constructor at import; its annotations do not know it.
            parameters = faiss.SearchParameters(
                sel=faiss.IDSelectorBatch(selection.rows)  # type: ignore[call-arg]
            )
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        similarities, rows = self._index.search(queries, count, params=parameters)
        return similarities, rows

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of these rows; see `VectorEngine`."""
        return np.asarray(self._index.reconstruct_batch(np.asarray(rows, dtype=np.int64)))

    def write(self, path: Path) -> None:
        """Write the index, whole."""
        with write_whole(path) as partial:
            faiss.write_index(self._index, str(partial))


def build_engine(vectors: np.ndarray) -> FaissEngine:
    """An engine for exact search of `vectors` (N, dimension)."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return FaissEngine(index)


def read_engine(path: Path) -> FaissEngine:
    """Read what `FaissEngine.write` wrote."""
    return FaissEngine(faiss.read_index(str(path)))
