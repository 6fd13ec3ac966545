"""Milvus backend: vectors in a collection on a server or cluster, or in a local file."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.io.progress import progress_bar
from panthera_vision.search.index.backend import (
    BackendUnavailableError,
    IndexContent,
    IndexSpec,
    RowFilter,
    StoredVectors,
)
from panthera_vision.search.index.manifest import IndexManifest
from panthera_vision.search.index.milvus_syntax import (
    CODED_COLUMNS,
    DAY,
    ROW,
    FilterCodes,
    index_params,
    search_params,
)

if TYPE_CHECKING:
    from pymilvus import MilvusClient

VECTOR = "vector"
MAX_HITS = 16_384  # Milvus returns at most so many at once
_QUERIES_PER_REQUEST = 256
_ROWS_PER_REQUEST = 1000  # a message to the server may have 64 MB
_CONNECT_TIMEOUT = 3  # seconds; the client also waits so long to reconnect
_PROBE_TIMEOUT = 2  # seconds
_REQUEST_TIMEOUT = 120  # seconds
_AN_HOUR = 3_600_000  # milliseconds
# "Strong" waits for the server's time tick, 0.2 s and more; a filled collection does not change.
_CONSISTENCY = "Bounded"
_REBUILD = "`dvc repro --force build_index` rebuilds the collection"


class MilvusBackend:
    """Search a collection of Milvus; see `IndexBackend`.

    Args:
        client: connected.
        uri: the address, for messages.
        collection: its name; it is loaded.
        codes: of the photos' filterable columns.
        shape: number of vectors, and their dimension.
        parameters: search parameters in Milvus's syntax.
    """

    def __init__(
        self,
        client: "MilvusClient",
        uri: str,
        collection: str,
        codes: FilterCodes,
        shape: tuple[int, int],
        parameters: dict[str, int],
    ) -> None:
        self._client = client
        self._uri = uri
        self.collection = collection
        self._codes = codes
        self._count, self._dimension = shape
        self._parameters = parameters

    @classmethod
    def build(cls, content: IndexContent, spec: IndexSpec, folder: Path) -> "MilvusBackend":
        """Create and fill a collection named after its content.

        A complete collection of the same content is reused. The previous collection, which others
        may still search, stays untouched.

        Raises:
            UserError: Milvus does not answer, or has no such kind of index.
        """
        count, dimension = content.vectors.shape
        params, parameters = index_params(spec.factory), search_params(spec.search)
        suffix = re.sub("[^0-9A-Za-z]", "_", spec.factory)
        name = f"panthera_{content.digest()[:24]}_{suffix}"
        codes = FilterCodes(content.table)
        client = _connect(spec.uri, folder)
        with _milvus_errors(spec.uri):
            if not client.has_collection(name) or _row_count(client, name) != count:
                _create(client, name, dimension, params)
                _fill(client, name, content.vectors, codes.columns())
            _load(client, name)
        return cls(client, spec.uri, name, codes, (count, dimension), parameters)

    @classmethod
    def open(cls, folder: Path, manifest: IndexManifest, table: pd.DataFrame) -> "MilvusBackend":
        """Connect to the collection that the manifest names.

        Raises:
            UserError: Milvus does not answer, or does not have the collection.
        """
        uri, name = manifest.uri, manifest.collection
        client = _connect(uri, folder)
        with _milvus_errors(uri):
            if not client.has_collection(name):
                client.close()
                raise UserError(f"Milvus at {uri} has no collection {name}; {_REBUILD}")
            _load(client, name)
            shape = _row_count(client, name), manifest.dimension
        return cls(client, uri, name, FilterCodes(table), shape, search_params(manifest.search))

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return self._dimension

    def __len__(self) -> int:
        return self._count

    def search(
        self, queries: np.ndarray, k: int, row_filter: RowFilter | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the nearest neighbors of each query, at most `MAX_HITS`; see `IndexBackend`.

        Raises:
            UserError: Milvus does not answer.
        """
        similarities = np.full((len(queries), k), -np.inf, dtype=np.float32)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        if row_filter is not None and not len(row_filter.rows):
            return similarities, rows
        expression = self._codes.expression(row_filter)
        for start in range(0, len(queries), _QUERIES_PER_REQUEST):
            batch = np.asarray(queries[start : start + _QUERIES_PER_REQUEST], dtype=np.float32)
            with _milvus_errors(self._uri):
                _probe(self._client)
                found = self._client.search(
                    self.collection,
                    data=list(batch),
                    limit=min(k, MAX_HITS, self._count),
                    filter=expression,
                    output_fields=[ROW],
                    search_params={"metric_type": "IP", "params": self._parameters},
                    consistency_level=_CONSISTENCY,
                    timeout=_REQUEST_TIMEOUT,
                )
            for number, hits in enumerate(found, start):
                similarities[number, : len(hits)] = [hit["distance"] for hit in hits]
                rows[number, : len(hits)] = [hit[ROW] for hit in hits]
        return similarities, rows

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of these rows; see `IndexBackend`.

        Raises:
            UserError: Milvus does not answer, or lacks some of them.
        """
        vectors = np.empty((len(rows), self._dimension), dtype=np.float32)
        for start in range(0, len(rows), _ROWS_PER_REQUEST):
            batch = np.asarray(rows[start : start + _ROWS_PER_REQUEST]).tolist()
            with _milvus_errors(self._uri):
                _probe(self._client)
                found = self._client.get(
                    self.collection,
                    ids=sorted(set(batch)),
                    output_fields=[ROW, VECTOR],
                    consistency_level=_CONSISTENCY,
                    timeout=_REQUEST_TIMEOUT,
                )
            by_row = {one[ROW]: one[VECTOR] for one in found}
            if missing := set(batch) - set(by_row):
                raise UserError(
                    f"Milvus at {self._uri}: {len(missing)} vectors missing; {_REBUILD}"
                )
            vectors[start : start + len(batch)] = [by_row[row] for row in batch]
        return vectors

    def write(self, folder: Path, previous: IndexManifest | None) -> StoredVectors:
        """Return where the vectors are; `build` has stored them already."""
        kept = ""
        if previous is not None:
            is_same = previous.collection == self.collection
            kept = previous.previous_collection if is_same else previous.collection
        return StoredVectors(uri=self._uri, collection=self.collection, previous_collection=kept)

    def cleanup(self, previous: IndexManifest | None, current: IndexManifest) -> None:
        """Drop the collection before the previous one: nobody searches it any more."""
        if previous is None or previous.uri != current.uri:
            return
        old = previous.previous_collection
        if old and old not in (current.collection, current.previous_collection):
            with _milvus_errors(self._uri):
                self._client.drop_collection(old)

    def close(self) -> None:
        """Close the connection; another process can then open a local file."""
        self._client.close()


def _connect(uri: str, folder: Path) -> "MilvusClient":
    """Connect to the server at `uri`, or open a local file relative to the parent of `folder`.

    The environment variable MILVUS_TOKEN holds a server's token or "user:password".

    Raises:
        UserError: the client is not installed, or the server does not answer.
    """
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise UserError(
            "index.backend = 'milvus' needs two more packages: uv pip install pymilvus milvus-lite"
        ) from None
    # Our own message says what went wrong, without the client's traceback.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    is_server = "://" in uri
    if not is_server:
        file = folder.resolve().parent / uri
        file.parent.mkdir(parents=True, exist_ok=True)
    with _milvus_errors(uri):
        client = MilvusClient(
            uri=uri if is_server else str(file),
            token=os.environ.get("MILVUS_TOKEN", "") if is_server else "",
            timeout=_CONNECT_TIMEOUT,
            # The server inside this process takes the client's usual pings for an attack.
            grpc_options={} if is_server else {"grpc.keepalive_time_ms": _AN_HOUR},
        )
        _probe(client)  # the client hands out connections that it has had for a while unchecked
        return client


@contextmanager
def _milvus_errors(uri: str) -> Iterator[None]:
    """Turn an exception of Milvus or of the connection into a `UserError` of one line."""
    from grpc import RpcError
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except RpcError as error:
        details = error.details() if hasattr(error, "details") else error
        raise BackendUnavailableError(f"Milvus at {uri} does not answer: {details}") from None
    except MilvusException as error:
        reason = " ".join(str(error.message).split())
        if "Open local milvus failed" in reason:
            reason = "another process has the file open; use a server to share it"
        raise BackendUnavailableError(f"Milvus at {uri}: {reason}") from None


def _probe(client: "MilvusClient") -> None:
    """Fail within seconds if the server is gone; a request itself may rightly take minutes."""
    client.get_server_version(timeout=_PROBE_TIMEOUT)


def _row_count(client: "MilvusClient", name: str) -> int:
    return int(client.get_collection_stats(name)["row_count"])


def _load(client: "MilvusClient", name: str) -> None:
    """Load a collection, and wait until all that was written to it is searched."""
    client.load_collection(name)
    client.get(name, ids=[0], consistency_level="Strong", timeout=_REQUEST_TIMEOUT)


def _create(client: "MilvusClient", name: str, dimension: int, params: dict[str, object]) -> None:
    from pymilvus import DataType

    client.drop_collection(name)  # an interrupted run may have left it incomplete
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(ROW, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dimension)
    for column in (*CODED_COLUMNS, DAY):
        schema.add_field(column, DataType.INT64)
    index = client.prepare_index_params()
    index.add_index(VECTOR, metric_type="IP", **params)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def _fill(
    client: "MilvusClient", name: str, vectors: np.ndarray, codes: dict[str, np.ndarray]
) -> None:
    with progress_bar("fill", "photo", len(vectors)) as progress:
        for start in range(0, len(vectors), _ROWS_PER_REQUEST):
            block = np.asarray(vectors[start : start + _ROWS_PER_REQUEST], dtype=np.float32)
            entities = [
                {ROW: row, VECTOR: vector}
                | {column: int(numbers[row]) for column, numbers in codes.items()}
                for row, vector in enumerate(block, start)
            ]
            _probe(client)
            client.insert(name, entities, timeout=_REQUEST_TIMEOUT)
            progress.update(len(block))
    # Unflushed vectors are searched by brute force. After an interruption before this line, the
    # row count shows that the collection is incomplete.
    client.flush(name)
