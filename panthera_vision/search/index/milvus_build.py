"""A collection of Milvus made, filled and made ready to be searched."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.io.progress import progress_bar
from panthera_vision.search.index.manifest import IndexManifest
from panthera_vision.search.index.milvus_backend import (
    VECTOR,
    MilvusBackend,
    answered,
    connect,
    search_parameters,
)
from panthera_vision.search.index.milvus_filters import DAY, NUMBERED, ROW, FilterCodes

if TYPE_CHECKING:
    from pymilvus import MilvusClient

# A message to the server may have 64 MB.
_ROWS_AT_ONCE = 1000
_KINDS = "auto, Flat, HNSW32, IVF1024,Flat or IVF1024,SQ8 (with other numbers)"


def build_collection(
    vectors: np.ndarray,
    table: pd.DataFrame,
    folder: Path,
    uri: str,
    digest: str,
    factory: str,
    search: str,
) -> MilvusBackend:
    """Put `vectors` (N, dimension), float32, into a collection of Milvus, and what filters compare.

    The collection goes by what is in it: one that is there and whole is taken as it is, and the
    collection that others still search is not touched.

    Args:
        vectors: in the order of `table`.
        table: one row a photo.
        folder: of the index; a local file is relative to the folder above.
        uri: a server's address, or a local file.
        digest: of the vectors and the table, hexadecimal.
        factory: the kind of index, in FAISS's words.
        search: how it searches, in FAISS's words.

    Raises:
        UserError: Milvus does not answer, or has no such kind of index.
    """
    count, dimension = vectors.shape
    kind = index_kind(factory)
    parameters = search_parameters(search)
    letters = re.sub("[^0-9A-Za-z]", "_", factory)
    name = f"panthera_{digest[:24]}_{letters}"
    numbers = FilterCodes(table)
    client = connect(uri, folder)
    with answered(uri):
        if not _is_whole(client, name, count):
            _create(client, name, dimension, kind)
            _fill(client, name, vectors, numbers.columns())
        client.load_collection(name)
    return MilvusBackend(client, uri, name, numbers, dimension, count, parameters)


def superseded(before: IndexManifest | None, collection: str) -> str:
    """The collection that others may still search; "" where there is none."""
    if before is None or not collection:
        return ""
    if before.collection == collection:
        return before.previous_collection
    return before.collection


def index_kind(factory: str) -> dict[str, Any]:
    """FAISS's words for a kind of index, such as "HNSW32", in Milvus's.

    Raises:
        UserError: Milvus has no such kind, or it is not known here.
    """
    if factory == "Flat":
        return {"index_type": "FLAT"}
    if match := re.fullmatch(r"HNSW(\d+)(,Flat)?", factory):
        return {"index_type": "HNSW", "params": {"M": int(match[1]), "efConstruction": 200}}
    if match := re.fullmatch(r"IVF(\d+),(Flat|SQ8)", factory):
        return {
            "index_type": {"Flat": "IVF_FLAT", "SQ8": "IVF_SQ8"}[match[2]],
            "params": {"nlist": int(match[1])},
        }
    raise UserError(
        f"index.factory = {factory!r}: with index.backend = 'milvus' it must be {_KINDS}"
    )


def _is_whole(client: "MilvusClient", name: str, count: int) -> bool:
    if not client.has_collection(name):
        return False
    return int(client.get_collection_stats(name)["row_count"]) == count


def _create(client: "MilvusClient", name: str, dimension: int, kind: dict[str, Any]) -> None:
    from pymilvus import DataType

    # What a run left that was interrupted.
    client.drop_collection(name)
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(ROW, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dimension)
    for column in (*NUMBERED, DAY):
        schema.add_field(column, DataType.INT64)
    index = client.prepare_index_params()
    index.add_index(VECTOR, metric_type="IP", **kind)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def _fill(
    client: "MilvusClient", name: str, vectors: np.ndarray, columns: dict[str, np.ndarray]
) -> None:
    with progress_bar("fill", "photo", len(vectors)) as progress:
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            block = np.asarray(vectors[start : start + _ROWS_AT_ONCE], dtype=np.float32)
            rows = range(start, start + len(block))
            client.insert(
                name,
                [
                    {ROW: row, VECTOR: vector}
                    | {column: int(numbers[row]) for column, numbers in columns.items()}
                    for row, vector in zip(rows, block, strict=True)
                ],
            )
            progress.update(len(block))
    # Until then vectors lie in a journal, which is searched one by one; and a run that is
    # interrupted before leaves a count that gives it away.
    client.flush(name)
