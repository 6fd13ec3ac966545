"""FAISS backend: vectors in the memory of this process."""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write
from panthera_vision.search.index.backend import (
    IndexContent,
    IndexSpec,
    RowFilter,
    StoredVectors,
)
from panthera_vision.search.index.brute_force import (
    QUERIES_FOR_BLAS,
    search_by_brute_force,
    threads_for,
)
from panthera_vision.search.index.faiss_build import (
    build_faiss_index,
    faiss_reason,
    set_search_parameters,
    untyped_faiss,
)
from panthera_vision.search.index.manifest import INDEX_FILE, VECTORS_FILE, IndexManifest

# A brute-force scan of so few vectors takes milliseconds. A graph or inverted lists searched with
# a selector would miss many of them, since most of what lies near the query does not pass.
_SCANNED_ROWS = 10_000
_SMALL_FILE = 1 << 20  # bytes


class FaissBackend:
    """Search a FAISS index; see `IndexBackend`.

    Args:
        index: inner-product index; its n-th vector is row n of the table.
        vectors: the original vectors (N, dimension), if the index cannot reconstruct them exactly;
            may be memory-mapped.
    """

    def __init__(self, index: faiss.Index, vectors: np.ndarray | None = None) -> None:
        self.faiss_index = index
        self._vectors = vectors
        self._is_exact = isinstance(self.faiss_index, faiss.IndexFlat)
        faiss.cvar.distance_compute_blas_threshold = QUERIES_FOR_BLAS

    @classmethod
    def build(cls, content: IndexContent, spec: IndexSpec, folder: Path) -> "FaissBackend":
        """Build an index as the factory string of `spec` says; see `build_faiss_index`."""
        index, reconstructs = build_faiss_index(content.vectors, spec.factory, spec.search)
        return cls(index, None if reconstructs else content.vectors)

    @classmethod
    def open(cls, folder: Path, manifest: IndexManifest, table: pd.DataFrame) -> "FaissBackend":
        """Read the index that `write` wrote, and try a search in it.

        Raises:
            UserError: a file is damaged, or does not belong to the others.
        """
        path = folder / INDEX_FILE
        index = _read_index(path)
        set_search_parameters(index, manifest.search)
        backend = cls(index, _read_vectors(folder / VECTORS_FILE, index))
        try:
            if len(backend):
                backend.search(backend.vectors_at(np.array([len(backend) - 1])), 1)
        except (RuntimeError, MemoryError, ValueError):
            raise UserError(f"{path} can't be searched; `dvc repro` rebuilds it") from None
        return backend

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return int(self.faiss_index.d)

    def __len__(self) -> int:
        return int(self.faiss_index.ntotal)

    def search(
        self, queries: np.ndarray, k: int, row_filter: RowFilter | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the nearest neighbors of each query; see `IndexBackend`.

        Where an approximate index finds fewer than `k`, a brute-force scan finds the rest.
        """
        rows = None if row_filter is None else np.ascontiguousarray(row_filter.rows, dtype=np.int64)
        parameters = None
        if rows is not None:
            parameters = self._search_parameters(rows, len(queries))
            if parameters is None:
                return self._scan(queries, k, rows)
        with threads_for(queries):
            similarities, found = self.faiss_index.search(queries, k, params=parameters)
        available = min(k, len(self) if rows is None else len(rows))
        if available and -1 in found[:, available - 1].tolist():  # faster than NumPy for one query
            short = np.flatnonzero(found[:, available - 1] < 0)
            similarities[short], found[short] = self._scan(queries[short], k, rows)
        return similarities, found

    def _search_parameters(self, rows: np.ndarray, queries: int) -> Any:
        """Restrict a search to `rows`; None where a brute-force scan is better."""
        if self._is_exact:
            if queries >= QUERIES_FOR_BLAS:  # with a selector, FAISS does not multiply matrices
                return None
            return untyped_faiss.SearchParameters(sel=untyped_faiss.IDSelectorArray(rows))
        if len(rows) <= _SCANNED_ROWS:
            return None
        passes = np.zeros(len(self), dtype=bool)
        passes[rows] = True
        bits = untyped_faiss.IDSelectorBitmap(np.packbits(passes, bitorder="little"))
        return _with_selector(self.faiss_index, bits)

    def _scan(
        self, queries: np.ndarray, k: int, rows: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Search `rows`, or all, exactly."""
        searched = np.arange(len(self)) if rows is None else rows
        return search_by_brute_force(queries, k, self.vectors_at, searched)

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """Return the original vectors of these rows; see `IndexBackend`."""
        rows = np.asarray(rows, dtype=np.int64)
        if self._vectors is not None:
            return np.asarray(self._vectors[rows])
        return np.asarray(self.faiss_index.reconstruct_batch(rows))

    def write(self, folder: Path, previous: IndexManifest | None = None) -> StoredVectors:
        """Write the index, and the original vectors if it cannot reconstruct them, atomically."""
        with atomic_write(folder / INDEX_FILE) as partial:
            faiss.write_index(self.faiss_index, str(partial))
        if self._vectors is None:
            return StoredVectors((INDEX_FILE,))
        with atomic_write(folder / VECTORS_FILE) as partial, partial.open("wb") as file:
            np.save(file, self._vectors)
        return StoredVectors((INDEX_FILE, VECTORS_FILE))

    def cleanup(self, previous: IndexManifest | None, current: IndexManifest) -> None:
        """Do nothing: the new files replaced the old ones."""

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _read_index(path: Path) -> faiss.Index:
    # No array in a file is larger than the file, whatever its header claims.
    untyped_faiss.set_deserialization_vector_byte_limit(max(path.stat().st_size, _SMALL_FILE))
    try:
        index = faiss.read_index(str(path))
    except (RuntimeError, MemoryError) as error:
        reason = faiss_reason(error) if isinstance(error, RuntimeError) else "too large"
        raise UserError(
            f"{path} is not a FAISS index ({reason}); `dvc repro` rebuilds it"
        ) from None
    if index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise UserError(f"{path} does not search by inner product; `dvc repro` rebuilds it")
    return index


def _read_vectors(path: Path, index: faiss.Index) -> np.ndarray | None:
    """Memory-map the original vectors, if the index has such a file."""
    if not path.exists():
        return None
    try:
        vectors: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError):
        vectors = np.empty(0)
    if vectors.shape != (index.ntotal, index.d) or vectors.dtype != np.float32:
        raise UserError(f"{path} does not match {INDEX_FILE}; `dvc repro` rebuilds it")
    return vectors


def _with_selector(index: Any, selector: Any) -> Any:
    """Return search parameters with `selector` that keep the settings of `index`.

    FAISS takes its defaults for what is not named here. None if this kind of index takes no
    selector.
    """
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return _with_selector(index.index, selector)
    if isinstance(index, faiss.IndexRefine):
        base = _with_selector(index.base_index, selector)
        return base and untyped_faiss.IndexRefineSearchParameters(
            k_factor=index.k_factor, base_index_params=base
        )
    if isinstance(index, faiss.IndexIVFFastScan):
        return None
    if isinstance(index, faiss.IndexIVF):
        return untyped_faiss.SearchParametersIVF(
            sel=selector, nprobe=index.nprobe, max_codes=index.max_codes
        )
    if isinstance(index, faiss.IndexHNSW):
        return untyped_faiss.SearchParametersHNSW(sel=selector, efSearch=index.hnsw.efSearch)
    if isinstance(index, faiss.IndexFlat | faiss.IndexScalarQuantizer):
        return untyped_faiss.SearchParameters(sel=selector)
    return None
