"""Metadata filters of a search: by species, license, observer, date and place."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import islice

import numpy as np
import pandas as pd

from panthera_vision.data.dates import parse_dates
from panthera_vision.errors import UserError, closest_name, list_names

_COLUMNS = ("species", "license", "observer", "place")
# How users write the table's empty license.
ALL_RIGHTS_RESERVED = "all-rights-reserved"


@dataclass(frozen=True)
class PhotoFilter:
    """Select photos by metadata; an empty part lets all photos pass.

    Attributes:
        species: one of these.
        licenses: one of these, as in the table; "" stands for all rights reserved.
        observers: one of these.
        first_day: taken on this day or later; a photo without a date does not pass.
        last_day: taken on this day or earlier; a photo without a date does not pass.
        place: a part of its place's name, in any case.
    """

    species: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    observers: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    place: str = ""

    @property
    def parts_in_use(self) -> int:
        """Return the number of kinds of conditions; first and last day count as one."""
        has_days, has_place = bool(self.first_day or self.last_day), bool(normalize(self.place))
        return len(self.accepted_values()) + has_days + has_place

    def accepted_values(self) -> dict[str, tuple[str, ...]]:
        """Return the accepted values of each column that has a list of them."""
        values = {"species": self.species, "license": self.licenses, "observer": self.observers}
        return {column: accepted for column, accepted in values.items() if accepted}


class FilterColumns:
    """Hold the columns that filters need, typed: prepared once for a table, quick at each search.

    A missing column counts as empty.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        """Prepare the columns of an index's table (N rows)."""
        self.photos = len(table)
        self._columns = {name: _Column.of(table, name) for name in _COLUMNS}
        self._days = _Column.of(table, "observed_on")
        parsed = parse_dates(self._days.values)
        self._ordinals = np.array([day.toordinal() if day else 0 for day in parsed], dtype=np.int32)

    def values(self, column: str) -> list[str]:
        """Return the distinct values of species, license, observer or place, sorted."""
        return self._columns[column].values

    def codes(self, column: str) -> np.ndarray:
        """Return the number of each photo's value among `values` (N,)."""
        return self._columns[column].codes

    def find_values(self, column: str, words: str, most: int) -> list[str]:
        """Return at most so many values of a column that contain `words`, in any case, sorted."""
        wanted = normalize(words)
        if not wanted:
            return []
        pairs = zip(self.values(column), self._columns[column].normalized, strict=True)
        return list(islice((value for value, known in pairs if wanted in known), most))

    @cached_property
    def day_numbers(self) -> np.ndarray:
        """Return each photo's day as a proleptic Gregorian ordinal (N,); 0 where it is unknown."""
        return np.asarray(self._ordinals[self._days.codes])

    @cached_property
    def days(self) -> tuple[date, date] | None:
        """Return the first and the last day; None if no photo has one."""
        known = self._ordinals[self._ordinals > 0]
        if not len(known):
            return None
        return date.fromordinal(int(known.min())), date.fromordinal(int(known.max()))

    @cached_property
    def undated(self) -> int:
        """Return the number of photos without a date that can be read."""
        return int((self.day_numbers == 0).sum())

    def matching_rows(self, where: PhotoFilter) -> np.ndarray:
        """Return the rows that pass, ascending, int64."""
        passes = np.ones(self.photos, dtype=bool)
        for column, accepted in self.accepted(where).items():
            passes &= self._columns[column].rows_of(accepted)
        if where.first_day or where.last_day:
            first, last = where.first_day or date.min, where.last_day or date.max
            inside = (self._ordinals >= first.toordinal()) & (self._ordinals <= last.toordinal())
            passes &= self._days.rows_of(inside & (self._ordinals > 0))
        return np.flatnonzero(passes).astype(np.int64)

    def accepted(self, where: PhotoFilter) -> dict[str, np.ndarray]:
        """Return for each column with a condition which of its `values` are accepted (values,)."""
        found = {}
        for column, accepted in where.accepted_values().items():
            wanted = set(accepted)
            found[column] = np.array([value in wanted for value in self.values(column)], dtype=bool)
        if words := normalize(where.place):
            places = self._columns["place"].normalized
            found["place"] = np.array([words in place for place in places], dtype=bool)
        return found

    def resolve(self, where: PhotoFilter) -> PhotoFilter:
        """Replace values as users write them by the table's: any case, "_" for a species' space.

        Raises:
            UserError: no photo of the collection has such a value, which is most likely a typo; or
                the first day is after the last, or a date is asked for and no photo has one.
        """
        if where.first_day and where.last_day and where.first_day > where.last_day:
            raise UserError(
                f"the first day, {where.first_day}, is after the last, {where.last_day}"
            )
        if (where.first_day or where.last_day) and self.photos and self.days is None:
            raise UserError(f"no photo of the collection passes a date: {self.undated_note(where)}")
        licenses = [
            "" if normalize(code) == ALL_RIGHTS_RESERVED else code for code in where.licenses
        ]
        species = [name.replace("_", " ") for name in where.species]
        return replace(
            where,
            species=self._known_values("species", species),
            licenses=self._known_values("license", licenses),
            observers=self._known_values("observer", where.observers),
        )

    def undated_note(self, where: PhotoFilter) -> str:
        """Return a phrase on photos that pass no filter by date; "" without such a filter."""
        if not (where.first_day or where.last_day) or not self.undated:
            return ""
        counts = np.bincount(self._days.codes, minlength=len(self._days.values))
        unread = [
            (text, int(count))
            for text, count, day in zip(self._days.values, counts, self._ordinals, strict=True)
            if text and not day
        ]
        number = sum(count for _, count in unread)
        example = (
            f", {number} of them one that can't be read, such as {unread[0][0][:40]!r}"
            if unread
            else ""
        )
        return f"{self.undated} of {self.photos} photos have no date{example}"

    def _known_values(self, column: str, wanted: Sequence[str]) -> tuple[str, ...]:
        """Return the values of `column` that equal the wanted ones but for case and spaces."""
        if not wanted:
            return ()
        known = self.values(column)
        by_normalized = dict(zip(self._columns[column].normalized, known, strict=True))
        for value in wanted:
            if normalize(value) not in by_normalized:
                listed = list_names(value or ALL_RIGHTS_RESERVED for value in known)
                close = closest_name(value, known)
                meant = f"; did you mean {close!r}?" if close else ""
                shown = value or ALL_RIGHTS_RESERVED
                raise UserError(
                    f"no photo of the collection has the {column} {shown!r}{meant}; it has {listed}"
                )
        return tuple(dict.fromkeys(by_normalized[normalize(value)] for value in wanted))


@dataclass(frozen=True)
class _Column:
    """Hold a text column: its distinct values, sorted, and each row's number among them (N,)."""

    values: list[str]
    codes: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, name: str) -> "_Column":
        if name not in table:
            return cls([""], np.zeros(len(table), dtype=np.int32))
        codes, values = pd.factorize(table[name], sort=True)
        return cls([str(value) for value in values], codes.astype(np.int32))

    @cached_property
    def normalized(self) -> list[str]:
        """Return the values as `normalize` has them."""
        return [normalize(value) for value in self.values]

    def rows_of(self, wanted: np.ndarray) -> np.ndarray:
        """Return whether each row's value is among the wanted ones (N,)."""
        return np.asarray(wanted[self.codes])


def normalize(text: str) -> str:
    """Normalize Unicode (NFKC), case and whitespace, so that only the words make a difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
