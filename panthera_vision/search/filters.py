"""Which photos of the collection a visitor wants to see: a filter, and the rows that pass it."""

import unicodedata
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class PhotoFilter:
    """What a photo must be; an empty part asks for nothing.

    Attributes:
        species: one of these.
        licenses: under one of these, as in the table; "" stands for all rights reserved.
        observers: by one of these.
        first_day: taken on this day or later; a photo without a date does not pass.
        last_day: taken on this day or earlier; a photo without a date does not pass.
        place: its place has these words in it, whatever their case.
    """

    species: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    observers: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    place: str = ""

    @property
    def parts_in_use(self) -> int:
        """How many kinds of conditions are set; the two ends of the dates count as one."""
        return sum(
            (
                bool(self.species),
                bool(self.licenses),
                bool(self.observers),
                bool(self.first_day or self.last_day),
                bool(folded(self.place)),
            )
        )


def matching_rows(table: pd.DataFrame, wanted: PhotoFilter) -> np.ndarray:
    """The rows of `table` that pass, in order; a column that it lacks is taken for empty."""
    passes = np.ones(len(table), dtype=bool)
    for column, values in (
        ("species", wanted.species),
        ("license", wanted.licenses),
        ("observer", wanted.observers),
    ):
        if values:
            passes &= _column(table, column).isin(list(values)).to_numpy(dtype=bool)
    if wanted.first_day or wanted.last_day:
        days = days_of(table)
        first = wanted.first_day or date.min
        last = wanted.last_day or date.max
        passes &= np.array([day is not None and first <= day <= last for day in days], dtype=bool)
    words = folded(wanted.place)
    if words:
        places = _column(table, "place")
        passes &= np.array([words in folded(place) for place in places], dtype=bool)
    return np.flatnonzero(passes).astype(np.int64)


def days_of(table: pd.DataFrame) -> list[date | None]:
    """Each photo's day; None where the table has none, or something else in its place."""
    return [_day(words) for words in _column(table, "observed_on")]


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table else pd.Series([""] * len(table), index=table.index)


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words[:10])
    except ValueError:
        return None


def folded(words: str) -> str:
    """Words such that case, accents' encoding and runs of blanks make no difference."""
    return " ".join(unicodedata.normalize("NFKC", words).casefold().split())
