"""Metadata filters of a search: by species, license, observer, date and place."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from panthera_vision.data.dates import parse_dates
from panthera_vision.errors import UserError, closest_name, list_names

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


def matching_rows(table: pd.DataFrame, where: PhotoFilter) -> np.ndarray:
    """Return the rows of `table` that pass, ascending, int64; a missing column counts as empty."""
    passes = np.ones(len(table), dtype=bool)
    for column, accepted in where.accepted_values().items():
        passes &= _column(table, column).isin(list(accepted)).to_numpy(dtype=bool)
    if where.first_day or where.last_day:
        first, last = where.first_day or date.min, where.last_day or date.max
        passes &= np.array(
            [day is not None and first <= day <= last for day in days_of(table)], dtype=bool
        )
    if words := normalize(where.place):
        places = _column(table, "place")
        passes &= np.array([words in normalize(place) for place in places], dtype=bool)
    return np.flatnonzero(passes).astype(np.int64)


def resolve_filter(table: pd.DataFrame, where: PhotoFilter) -> PhotoFilter:
    """Replace values as users write them by the table's: any case, "_" for a space in a species.

    Raises:
        UserError: no photo of the collection has such a value, which is most likely a typo; or the
            first day is after the last, or a date is asked for and no photo has one.
    """
    if where.first_day and where.last_day and where.first_day > where.last_day:
        raise UserError(f"the first day, {where.first_day}, is after the last, {where.last_day}")
    if (where.first_day or where.last_day) and len(table) and not any(days_of(table)):
        raise UserError(f"no photo of the collection passes a date: {undated_note(table, where)}")
    licenses = ["" if normalize(code) == ALL_RIGHTS_RESERVED else code for code in where.licenses]
    return replace(
        where,
        species=_known_values(table, "species", [name.replace("_", " ") for name in where.species]),
        licenses=_known_values(table, "license", licenses),
        observers=_known_values(table, "observer", where.observers),
    )


def _known_values(table: pd.DataFrame, column: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the values of `column` that equal the wanted ones but for case and spaces."""
    if not wanted:
        return ()
    known = sorted(table[column].unique()) if column in table else []
    by_normalized = {normalize(value): value for value in known}
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


def days_of(table: pd.DataFrame) -> list[date | None]:
    """Return each photo's day; None where the table has no date, or none that can be read."""
    return parse_dates(_column(table, "observed_on"))


def undated_note(table: pd.DataFrame, where: PhotoFilter) -> str:
    """Return one phrase about the photos that pass no filter by date; "" without such a filter."""
    if not (where.first_day or where.last_day):
        return ""
    texts = _column(table, "observed_on")
    undated = [text for text, day in zip(texts, days_of(table), strict=True) if day is None]
    unread = [text for text in undated if text]
    if not undated:
        return ""
    example = f", {len(unread)} of them one that can't be read, such as {unread[0][:40]!r}"
    return f"{len(undated)} of {len(table)} photos have no date" + (example if unread else "")


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table else pd.Series([""] * len(table), index=table.index)


def normalize(text: str) -> str:
    """Normalize Unicode (NFKC), case and whitespace, so that only the words make a difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
