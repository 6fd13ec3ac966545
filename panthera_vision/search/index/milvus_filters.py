"""A filter of photos in the words of Milvus.

Every column that can be filtered by is stored as a number: that of its value among all values of
the table, or the day. So no text of a table or of a visitor gets into an expression, and what
passes is just what passes in `filters.matching_rows`: upper and lower case, accents and blanks are
compared by the same function.
"""

from functools import cached_property

import numpy as np
import pandas as pd

from panthera_vision.search.filters import PhotoFilter, days_of, folded
from panthera_vision.search.index.backend import RowFilter

ROW, DAY = "row", "day"
# Columns of the table that are stored as the numbers of their values.
NUMBERED = ("species", "license", "observer", "place")


class FilterCodes:
    """What the filters compare of each photo, as numbers.

    Args:
        table: the index's table; a column that it lacks is taken for empty.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table

    @cached_property
    def values(self) -> dict[str, list[str]]:
        """The values of each column of `NUMBERED`; a value's place is its number."""
        return {
            column: sorted(set(self._table[column])) if column in self._table else [""]
            for column in NUMBERED
        }

    def columns(self) -> dict[str, np.ndarray]:
        """One number a photo (N,), int64, by column; `DAY` counts from the year 1, 0 is unknown."""
        numbers = {DAY: [0 if day is None else day.toordinal() for day in days_of(self._table)]}
        for column, values in self.values.items():
            number_of = {value: number for number, value in enumerate(values)}
            if column in self._table:
                numbers[column] = [number_of[value] for value in self._table[column]]
            else:
                numbers[column] = [0] * len(self._table)
        return {column: np.array(some, dtype=np.int64) for column, some in numbers.items()}

    def expression(self, selection: RowFilter | None) -> str:
        """Milvus's words for a selection; "" lets all photos pass."""
        if selection is None:
            return ""
        if selection.wanted is None:
            return f"{ROW} in {selection.rows.tolist()}"
        return " and ".join(self._conditions(selection.wanted))

    def _conditions(self, wanted: PhotoFilter) -> list[str]:
        conditions = [
            self._one_of(column, [value in accepted for value in self.values[column]])
            for column, accepted in (
                ("species", set(wanted.species)),
                ("license", set(wanted.licenses)),
                ("observer", set(wanted.observers)),
            )
            if accepted
        ]
        if words := folded(wanted.place):
            has_words = [words in folded(place) for place in self.values["place"]]
            conditions.append(self._one_of("place", has_words))
        if wanted.first_day or wanted.last_day:
            conditions.append(f"{DAY} >= {wanted.first_day.toordinal() if wanted.first_day else 1}")
        if wanted.last_day:
            conditions.append(f"{DAY} <= {wanted.last_day.toordinal()}")
        return conditions

    def _one_of(self, column: str, passes: list[bool]) -> str:
        return f"{column} in {np.flatnonzero(passes).tolist()}"
