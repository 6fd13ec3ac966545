"""Vectors in a FAISS index: searched, written and read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write
from panthera_vision.search.index.backend import RowFilter

# FAISS makes much of its interface at import; its annotations do not know it.
unannotated: Any = faiss

INDEX_FILE = "vector_index.bin"
VECTORS_FILE = "vectors.npy"
# So few vectors are compared one by one in some milliseconds. A graph or lists that are walked
# through for them would miss many, as most of what lies near the query is not among them.
_SCANNED_ROWS = 10_000
_ROWS_AT_ONCE = 8192
_SMALL_FILE = 1 << 20  # bytes
# Batches from so many queries on go to the matrix library, which reads the vectors once for all.
_BATCH_FOR_BLAS = 20


class FaissBackend:
    """A `IndexBackend` in this process's memory.

    Args:
        index: inner products; its n-th vector is the table's n-th row.
        kept: the vectors (N, dimension) as they were, where the index does not give them back
            exactly; may be a memory map.
    """

    def __init__(self, index: faiss.Index, kept: np.ndarray | None = None) -> None:
        self._index = index
        self._kept = kept
        self._is_exact = isinstance(self._index, faiss.IndexFlat)
        faiss.cvar.distance_compute_blas_threshold = _BATCH_FOR_BLAS

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def faiss_index(self) -> faiss.Index:
        """The index itself, for what only FAISS knows of it."""
        return self._index

    def search(
        self, queries: np.ndarray, count: int, selection: RowFilter | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The vectors most similar to each query; see `IndexBackend`.

        As many as there are come back also where an approximate index finds fewer.
        """
        rows = None if selection is None else np.ascontiguousarray(selection.rows, dtype=np.int64)
        parameters = None
        if rows is not None:
            parameters = self._only(rows)
            if parameters is None:
                return self._scan(queries, count, rows)
        with threads(1):  # more slow even the search of many vectors down: docs/search.md
            similarities, found = self._index.search(queries, count, params=parameters)
        there = min(count, len(self) if rows is None else len(rows))
        if there and -1 in found[:, there - 1].tolist():  # sooner than by NumPy, for one query
            short = np.flatnonzero(found[:, there - 1] < 0)
            similarities[short], found[short] = self._scan(queries[short], count, rows)
        return similarities, found

    def _only(self, rows: np.ndarray) -> Any:
        """What lets a search find only `rows`; None where they are better compared one by one."""
        if self._is_exact:
            return unannotated.SearchParameters(sel=unannotated.IDSelectorArray(rows))
        if len(rows) <= _SCANNED_ROWS:
            return None
        passes = np.zeros(len(self), dtype=bool)
        passes[rows] = True
        bits = unannotated.IDSelectorBitmap(np.packbits(passes, bitorder="little"))
        return _with_selector(self._index, bits)

    def _scan(
        self, queries: np.ndarray, count: int, rows: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Exact search among `rows`, or all, by the vectors themselves."""
        similarities = np.full((len(queries), count), -np.inf, dtype=np.float32)
        found = np.full((len(queries), count), -1, dtype=np.int64)
        total = len(self) if rows is None else len(rows)
        for start in range(0, total, _ROWS_AT_ONCE):
            end = min(start + _ROWS_AT_ONCE, total)
            block = np.arange(start, end) if rows is None else rows[start:end]
            with threads(1):
                products, places = unannotated.knn(
                    queries, self.vectors_at(block), count, metric=faiss.METRIC_INNER_PRODUCT
                )
            # FAISS says -1 where a block has fewer.
            products[places < 0] = -np.inf
            numbers = np.where(places < 0, -1, block[places])
            joined = np.concatenate([similarities, products], axis=1)
            of_rows = np.concatenate([found, numbers], axis=1)
            best = np.argsort(-joined, axis=1, kind="stable")[:, :count]
            similarities = np.take_along_axis(joined, best, axis=1)
            found = np.take_along_axis(of_rows, best, axis=1)
        return similarities, found

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of these rows; see `IndexBackend`."""
        rows = np.asarray(rows, dtype=np.int64)
        if self._kept is not None:
            return np.asarray(self._kept[rows])
        return np.asarray(self._index.reconstruct_batch(rows))

    def write(self, folder: Path) -> None:
        """Write the index, and the vectors where they are kept, each whole."""
        with atomic_write(folder / INDEX_FILE) as partial:
            faiss.write_index(self._index, str(partial))
        if self._kept is None:
            (folder / VECTORS_FILE).unlink(missing_ok=True)
        else:
            with atomic_write(folder / VECTORS_FILE) as partial, partial.open("wb") as file:
                np.save(file, self._kept)


def read_faiss(folder: Path, search: str) -> FaissBackend:
    """Read what `FaissBackend.write` wrote.

    Args:
        folder: where it is.
        search: settings of the search, as `set_search` takes them.

    Raises:
        UserError: a part is broken, or does not belong to the others.
    """
    path, kept = folder / INDEX_FILE, folder / VECTORS_FILE
    # Nothing in a file is larger than the file, whatever its numbers say.
    unannotated.set_deserialization_vector_byte_limit(max(path.stat().st_size, _SMALL_FILE))
    try:
        index = faiss.read_index(str(path))
    except (RuntimeError, MemoryError) as error:
        words = reason_of(error) if isinstance(error, RuntimeError) else "too large"
        raise UserError(f"{path} is no index ({words}); `dvc repro` makes it anew") from None
    if index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise UserError(f"{path} does not search by inner product; `dvc repro` makes it anew")
    set_search(index, search)
    if not kept.exists():
        return _tried(FaissBackend(index), path)
    try:
        vectors = np.load(kept, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError):
        vectors = np.empty(0)
    if vectors.shape != (index.ntotal, index.d) or vectors.dtype != np.float32:
        raise UserError(f"{kept} has other vectors than {path.name}; `dvc repro` makes it anew")
    return _tried(FaissBackend(index, vectors), path)


def _tried(engine: FaissBackend, path: Path) -> FaissBackend:
    """The engine, after it has searched and given a vector back: parts may fit no other part."""
    try:
        if len(engine):
            engine.search(engine.vectors_at(np.array([len(engine) - 1])), 1)
    except (RuntimeError, MemoryError, ValueError):
        raise UserError(f"{path} can't be searched; `dvc repro` makes it anew") from None
    return engine


def set_search(index: faiss.Index, search: str) -> None:
    """Set how an index searches, in FAISS's words, such as "nprobe=32".

    Raises:
        UserError: FAISS does not know them for this kind of index.
    """
    if not search:
        return
    try:
        unannotated.ParameterSpace().set_index_parameters(index, search)
        nearest = index.search(np.zeros((1, index.d), dtype=np.float32), 1)[1]
    except RuntimeError as error:
        raise UserError(f"index.search = {search!r}: {reason_of(error)}") from None
    if nearest[0, 0] < 0:
        raise UserError(f"index.search = {search!r}: nothing is found with it")


def reason_of(error: RuntimeError) -> str:
    """What FAISS says went wrong, without where in its source."""
    words = " ".join(str(error).split())
    words = words.rpartition(" failed: ")[2] if " failed: " in words else words
    return words.rpartition("cpp:")[2].partition(": ")[2] if "cpp:" in words else words


@contextmanager
def threads(count: int | None = None) -> Iterator[None]:
    """Let FAISS use so many threads meanwhile, all processors by default; then as before."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count or os.cpu_count() or 1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _with_selector(index: Any, selector: Any) -> Any:
    """Parameters that search `index` as it is set, among what the selector lets pass.

    FAISS takes what is not named here as its default, so settings of the index are handed on.
    None where this kind of index takes no selector.
    """
    index = faiss.downcast_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        return _with_selector(index.index, selector)
    if isinstance(index, faiss.IndexRefine):
        base = _with_selector(index.base_index, selector)
        return base and unannotated.IndexRefineSearchParameters(
            k_factor=index.k_factor, base_index_params=base
        )
    if isinstance(index, faiss.IndexIVFFastScan):
        return None
    if isinstance(index, faiss.IndexIVF):
        return unannotated.SearchParametersIVF(
            sel=selector, nprobe=index.nprobe, max_codes=index.max_codes
        )
    if isinstance(index, faiss.IndexHNSW):
        return unannotated.SearchParametersHNSW(sel=selector, efSearch=index.hnsw.efSearch)
    if isinstance(index, faiss.IndexFlat | faiss.IndexScalarQuantizer):
        return unannotated.SearchParameters(sel=selector)
    return None
