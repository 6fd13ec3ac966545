"""Read dates as spreadsheets, cameras and people write them, and never guess an ambiguous one."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date

# Day, month and year, each with its separators; a time of day may follow.
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")
_TIME = r"(?:[T,;\s].*)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-./:])\s?(\d{{1,2}})\2\s?(\d{{1,2}})\.?{_TIME}")
_COMPACT = re.compile(rf"((?:18|19|20)\d\d)(\d\d)(\d\d){_TIME}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-./])\s?(\d{{1,2}})\2\s?(\d{{4}}){_TIME}")
_DAY_NAMED = re.compile(
    rf"(\d{{1,2}})(?:\.|st|nd|rd|th)?[\s-]*([^\W\d_]{{3,}})\.?[\s,-]*(\d{{4}}){_TIME}"
)
_NAMED_DAY = re.compile(rf"([^\W\d_]{{3,}})\.?\s*(\d{{1,2}})(?:st|nd|rd|th)?[\s,]+(\d{{4}}){_TIME}")
_WEEKDAY = re.compile(r"[^\W\d_]+\.?,?\s+(?=\d|[^\W\d_]+\.?\s*\d)")
# The first letters of the months in English, German, French, Spanish and Russian, without accents.
_MONTHS = {
    beginning: month
    for month, beginnings in enumerate(
        (
            *("jan ene янв", "feb fev fevr фев", "mar mae март марта мар", "apr avr abr апр"),
            *("may mai май мая маи", "jun juin июн", "jul juil июл", "aug aou ago авг"),
            *("sep sept set сен", "oct okt окт", "nov ноя", "dec dez dic дек"),
        ),
        start=1,
    )
    for beginning in beginnings.split()
}


def parse_dates(texts: Iterable[str]) -> list[date | None]:
    """Parse a column of dates; None for an empty cell and for what cannot be read.

    ISO dates, years in front, and names of months are unambiguous, and so are days above 12. With
    dots the day comes first. 03/04/2020 is read only if other cells of the column with the same
    separator show the order of day and month, and none shows the opposite.
    """
    cells = [text.strip() for text in texts]
    shown: dict[str, set[str]] = {}
    for cell in set(cells):
        if order := _shown_order(cell):
            shown.setdefault(order[0], set()).add(order[1])
    orders = {mark: found.pop() for mark, found in shown.items() if len(found) == 1}
    # Days repeat: a table of a million photos has a few thousand.
    days = {cell: _parse(cell, orders) for cell in set(cells)}
    return [days[cell] for cell in cells]


def normalize_dates(texts: Iterable[str]) -> list[str]:
    """Return each cell as an ISO date, or unchanged where it is not one (`parse_dates`)."""
    cells = list(texts)
    return [
        day.isoformat() if day else cell
        for cell, day in zip(cells, parse_dates(cells), strict=True)
    ]


def _shown_order(cell: str) -> tuple[str, str] | None:
    """Return the separator and "DM" or "MD" if a cell with its year last shows the order."""
    if _ISO.match(cell) or not (match := _YEAR_LAST.fullmatch(cell)):
        return None
    first, second = int(match[1]), int(match[3])
    if (first > 12) == (second > 12):
        return None
    return match[2], "DM" if first > 12 else "MD"


def _parse(cell: str, orders: Mapping[str, str]) -> date | None:
    try:
        if _ISO.match(cell):
            return date.fromisoformat(cell[:10])
        if match := _YEAR_FIRST.fullmatch(cell):
            return date(int(match[1]), int(match[3]), int(match[4]))
        if match := _COMPACT.fullmatch(cell):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _YEAR_LAST.fullmatch(cell):
            order = "DM" if match[2] == "." else orders.get(match[2])
            return _with_year_last(int(match[1]), int(match[3]), int(match[4]), order)
        return _with_month_name(cell)
    except ValueError:
        return None


def _with_year_last(first: int, second: int, year: int, order: str | None) -> date | None:
    if second > 12 or (order == "MD" and first <= 12):
        return date(year, first, second)
    if first > 12 or first == second or order == "DM":
        return date(year, second, first)
    return None


def _with_month_name(cell: str) -> date | None:
    text = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", cell.casefold())
        if not unicodedata.combining(letter)
    )
    for candidate in (text, _WEEKDAY.sub("", text, count=1)):
        if match := _DAY_NAMED.fullmatch(candidate):
            day, name, year = match[1], match[2], match[3]
        elif match := _NAMED_DAY.fullmatch(candidate):
            name, day, year = match[1], match[2], match[3]
        else:
            continue
        if month := _MONTHS.get(name[:4]) or _MONTHS.get(name[:3]):
            return date(int(year), month, int(day))
    return None
