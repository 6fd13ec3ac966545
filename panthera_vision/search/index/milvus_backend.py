"""Vectors in a collection of Milvus: on a cluster, or in a local file (Milvus Lite)."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.search.index.backend import RowFilter
from panthera_vision.search.index.faiss_backend import INDEX_FILE, VECTORS_FILE
from panthera_vision.search.index.manifest import IndexManifest
from panthera_vision.search.index.milvus_filters import ROW, FilterCodes

if TYPE_CHECKING:
    from pymilvus import MilvusClient

VECTOR = "vector"
# Milvus gives back no more at once.
MOST_HITS = 16_384
_QUERIES_AT_ONCE = 256
_ROWS_AT_ONCE = 1000
_SECONDS_TO_CONNECT = 10
_SECONDS_TO_ANSWER = 120
_AN_HOUR = 3_600_000  # milliseconds


class MilvusBackend:
    """A `IndexBackend` whose vectors are in a collection of Milvus.

    Args:
        client: connected.
        place: the address, for messages.
        collection: its name; it is loaded.
        numbers: of the photos, by which it filters.
        dimension: numbers a vector.
        count: how many vectors there are.
        parameters: of the search, in Milvus's words.
    """

    def __init__(
        self,
        client: "MilvusClient",
        place: str,
        collection: str,
        numbers: FilterCodes,
        dimension: int,
        count: int,
        parameters: dict[str, int],
    ) -> None:
        self._client = client
        self._place = place
        self.collection = collection
        self._numbers = numbers
        self._dimension = dimension
        self._count = count
        self._parameters = parameters

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return self._dimension

    def __len__(self) -> int:
        return self._count

    def search(
        self, queries: np.ndarray, count: int, selection: RowFilter | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The vectors most similar to each query; see `IndexBackend`.

        Milvus filters by itself, and gives back `MOST_HITS` at most.

        Raises:
            UserError: Milvus does not answer.
        """
        similarities = np.full((len(queries), count), -np.inf, dtype=np.float32)
        rows = np.full((len(queries), count), -1, dtype=np.int64)
        if selection is not None and not len(selection.rows):
            return similarities, rows
        words = self._numbers.expression(selection)
        for start in range(0, len(queries), _QUERIES_AT_ONCE):
            some = np.asarray(queries[start : start + _QUERIES_AT_ONCE], dtype=np.float32)
            with answered(self._place):
                found = self._client.search(
                    self.collection,
                    data=list(some),
                    limit=min(count, MOST_HITS, self._count),
                    filter=words,
                    output_fields=[ROW],
                    search_params={"metric_type": "IP", "params": self._parameters},
                    timeout=_SECONDS_TO_ANSWER,
                )
            for number, hits in enumerate(found, start):
                similarities[number, : len(hits)] = [hit["distance"] for hit in hits]
                rows[number, : len(hits)] = [hit[ROW] for hit in hits]
        return similarities, rows

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of these rows; see `IndexBackend`.

        Raises:
            UserError: Milvus does not answer, or lacks some of them.
        """
        vectors = np.empty((len(rows), self._dimension), dtype=np.float32)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = np.asarray(rows[start : start + _ROWS_AT_ONCE]).tolist()
            with answered(self._place):
                found = self._client.get(
                    self.collection,
                    ids=sorted(set(some)),
                    output_fields=[ROW, VECTOR],
                    timeout=_SECONDS_TO_ANSWER,
                )
            by_row = {one[ROW]: one[VECTOR] for one in found}
            if absent := set(some) - set(by_row):
                raise UserError(f"Milvus at {self._place} lacks {len(absent)} vectors; {_ANEW}")
            vectors[start : start + len(some)] = [by_row[row] for row in some]
        return vectors

    def write(self, folder: Path) -> None:
        """Nothing is kept in the folder; what FAISS kept there before goes."""
        for name in (INDEX_FILE, VECTORS_FILE):
            (folder / name).unlink(missing_ok=True)

    def retire(self, before: IndexManifest | None, now: IndexManifest) -> None:
        """Drop the collection before the previous one: nobody searches it any more."""
        if before is None or before.uri != now.uri:
            return
        old = before.previous_collection
        if old and old not in (now.collection, now.previous_collection):
            with answered(self._place):
                self._client.drop_collection(old)

    def close(self) -> None:
        """Let go of the connection; a local file can then be opened by another process."""
        self._client.close()


_ANEW = "`dvc repro --force build_index` makes the collection anew"


def open_collection(note: IndexManifest, table: pd.DataFrame, folder: Path) -> MilvusBackend:
    """The collection that the note of the index in `folder` names.

    Raises:
        UserError: Milvus does not answer, or does not have it.
    """
    client = connect(note.uri, folder)
    with answered(note.uri):
        if not client.has_collection(note.collection):
            client.close()
            raise UserError(f"Milvus at {note.uri} has no collection {note.collection}; {_ANEW}")
        client.load_collection(note.collection)
        count = int(client.get_collection_stats(note.collection)["row_count"])
    numbers = FilterCodes(table)
    return MilvusBackend(
        client,
        note.uri,
        note.collection,
        numbers,
        note.dimension,
        count,
        search_parameters(note.search),
    )


def connect(uri: str, folder: Path) -> "MilvusClient":
    """A client of the server at `uri`, or of a local file relative to the folder above `folder`.

    A server that asks for a token or "user:password" gets what the environment has as MILVUS_TOKEN.

    Raises:
        UserError: the client's package is missing, or nobody answers.
    """
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise UserError(
            "index.backend = 'milvus' needs a package more: uv pip install pymilvus milvus-lite"
        ) from None
    # What goes wrong is said by our own message, without the client's traceback.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    is_server = "://" in uri
    if not is_server:
        file = folder.resolve().parent / uri
        file.parent.mkdir(parents=True, exist_ok=True)
    with answered(uri):
        return MilvusClient(
            uri=uri if is_server else str(file),
            token=os.environ.get("MILVUS_TOKEN", "") if is_server else "",
            timeout=_SECONDS_TO_CONNECT,
            # The server in this process takes the client's usual pings for an attack.
            grpc_options={} if is_server else {"grpc.keepalive_time_ms": _AN_HOUR},
        )


@contextmanager
def answered(place: str) -> Iterator[None]:
    """Say in a line of what Milvus or the way to it failed."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        reason = " ".join(str(error.message).split())
        if "Open local milvus failed" in reason:
            reason = "another process has the file open; a server is for several"
        raise UserError(f"Milvus at {place}: {reason}") from None


def search_parameters(search: str) -> dict[str, int]:
    """FAISS's words for how to search, such as "nprobe=32", in Milvus's.

    Raises:
        UserError: Milvus has no such setting.
    """
    names = {"nprobe": "nprobe", "efSearch": "ef"}
    parameters: dict[str, Any] = {}
    for part in filter(None, search.split(",")):
        name, _, value = part.partition("=")
        if name not in names or not value.isdecimal():
            raise UserError(
                f"index.search = {search!r}: with index.backend = 'milvus' it may be "
                "nprobe=… or efSearch=…"
            )
        parameters[names[name]] = int(value)
    return parameters
