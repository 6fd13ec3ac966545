"""What a command line or a request asks of the collection, checked against what it has."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.search.filters import PhotoFilter

# How the table's empty licence is asked for.
ALL_RIGHTS_RESERVED = "all-rights-reserved"
_NAMED_AT_MOST = 30


def parse_filters(
    table: pd.DataFrame,
    *,
    species: Sequence[str] = (),
    licenses: Sequence[str] = (),
    observers: Sequence[str] = (),
    first_day: date | None = None,
    last_day: date | None = None,
    place: str = "",
) -> PhotoFilter:
    """A filter of words that people write: their case does not matter, nor an underscore.

    A value that no photo has is refused: it is a slip of the pen, and an empty answer would hide
    it.

    Raises:
        UserError: the collection has no such species, licence or observer, or the days are in the
            wrong order.
    """
    if first_day and last_day and first_day > last_day:
        raise UserError(f"the first day, {first_day}, is after the last, {last_day}")
    named_licenses = ["" if _folded(code) == ALL_RIGHTS_RESERVED else code for code in licenses]
    return PhotoFilter(
        species=_known(table, "species", [name.replace("_", " ") for name in species]),
        licenses=_known(table, "license", named_licenses),
        observers=_known(table, "observer", observers),
        first_day=first_day,
        last_day=last_day,
        place=place,
    )


def _known(table: pd.DataFrame, column: str, asked: Sequence[str]) -> tuple[str, ...]:
    """The values of `column` that are asked for, as the table writes them."""
    if not asked:
        return ()
    there = sorted(table[column].unique()) if column in table else []
    written = {_folded(value): value for value in there}
    for value in asked:
        if _folded(value) not in written:
            named = ", ".join(value or ALL_RIGHTS_RESERVED for value in there)
            has = f"; it has {named}" if len(there) <= _NAMED_AT_MOST else ""
            shown = value or ALL_RIGHTS_RESERVED
            raise UserError(f"no photo of the collection has the {column} {shown!r}{has}")
    return tuple(dict.fromkeys(written[_folded(value)] for value in asked))


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())
