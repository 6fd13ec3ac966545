"""Translate index factory strings, search parameters and photo filters to Milvus's syntax.

Every filterable column is stored as a number: the position of its value among the sorted values of
the table, or the day. So no text from a table or a visitor gets into a filter expression (no
injection), and exactly those photos pass that pass `FilterColumns.matching_rows`.
"""

import re
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.search.filters import FilterColumns, PhotoFilter
from panthera_vision.search.index.backend import RowFilter

ROW, DAY = "row", "day"
# Columns of the table that are stored as the codes of their values.
CODED_COLUMNS = ("species", "license", "observer", "place")
_FACTORIES = "auto, Flat, HNSW32, IVF1024,Flat or IVF1024,SQ8 (with other numbers)"


def index_params(factory: str) -> dict[str, Any]:
    """Translate a FAISS index factory string, such as "HNSW32", to Milvus's index parameters.

    Raises:
        UserError: Milvus has no such kind of index, or it is not supported here.
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
        f"index.factory = {factory!r}: with index.backend = 'milvus' it must be {_FACTORIES}"
    )


def search_params(search: str) -> dict[str, int]:
    """Translate FAISS search parameters, such as "nprobe=32", to Milvus's.

    Raises:
        UserError: Milvus has no such parameter.
    """
    names = {"nprobe": "nprobe", "efSearch": "ef"}
    parameters: dict[str, int] = {}
    for part in filter(None, search.split(",")):
        name, _, value = part.partition("=")
        if name not in names or not value.isdecimal():
            raise UserError(
                f"index.search = {search!r}: with index.backend = 'milvus' it may be "
                "nprobe=… or efSearch=…"
            )
        parameters[names[name]] = int(value)
    return parameters


class FilterCodes:
    """Encode the filterable columns of a table as numbers, and filters as expressions over them.

    Args:
        table: the index's table; a missing column counts as empty.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table

    @cached_property
    def _filters(self) -> FilterColumns:
        return FilterColumns(self._table)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the codes (N,), int64, by column; `DAY` is the ordinal day, 0 if unknown.

        The code of a value of `CODED_COLUMNS` is its place among the sorted values.
        """
        codes = {column: self._filters.codes(column) for column in CODED_COLUMNS}
        codes[DAY] = self._filters.day_numbers
        return {column: some.astype(np.int64) for column, some in codes.items()}

    def expression(self, row_filter: RowFilter | None) -> str:
        """Translate a filter to a Milvus boolean expression; "" lets all photos pass."""
        if row_filter is None:
            return ""
        if row_filter.photo_filter is None:
            return f"{ROW} in {row_filter.rows.tolist()}"
        return " and ".join(self._conditions(row_filter.photo_filter))

    def _conditions(self, where: PhotoFilter) -> list[str]:
        conditions = [
            f"{column} in {np.flatnonzero(accepted).tolist()}"
            for column, accepted in self._filters.accepted(where).items()
        ]
        if where.first_day or where.last_day:
            conditions.append(f"{DAY} >= {where.first_day.toordinal() if where.first_day else 1}")
        if where.last_day:
            conditions.append(f"{DAY} <= {where.last_day.toordinal()}")
        return conditions
