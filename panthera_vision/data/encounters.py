"""Group a user's own photos by encounter, where no observer tells which belong together.

Frames of one burst in train and test would make the test easier than it should be. An export has
observers and days (`observation_groups`); a table of one's own often has neither.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath

import pandas as pd

from panthera_vision.data.dates import parse_dates
from panthera_vision.io.urls import is_local

GROUP = "group"
DEFAULT_GAP_MINUTES = 30.0
_MIN_GROUPS = 3  # of a species: one for each split
_BY_COLUMN = "the column group"
_BY_OBSERVER = "observer and day"
_BY_GAP = "EXIF time and folder"
_BY_DAY = "place or folder and day"
_BY_FOLDER = "folder"
_BY_LOOKS = "likeness"
_ALONE = "nothing"

_Key = tuple[str, Hashable]


@dataclass(frozen=True)
class Encounters:
    """Hold the groups of a table's rows and how they were found.

    Attributes:
        groups: the group of each row (N,); "" for rows that have an observer, or no group.
        photos_by_method: numbers of photos.
    """

    groups: pd.Series
    photos_by_method: dict[str, int]

    def summary(self) -> str:
        """Return one phrase: how the photos were grouped, and a warning where they were not."""
        found = dict(self.photos_by_method)
        alone = found.pop(_ALONE, 0)
        grouped = ", ".join(f"{count} photos by {method}" for method, count in found.items())
        phrases = [f"grouped {grouped}"] if grouped else []
        if alone:
            phrases.append(
                f"WARNING: {alone} photos are in no group, so frames of one burst may be in train "
                "and in test: give them a column user_login with observed_on, or group"
            )
        return "; ".join(phrases)

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Return the numbers as JSON values; empty if every photo has an observer."""
        is_usual = set(self.photos_by_method) <= {_BY_OBSERVER}
        return {} if is_usual else {"photos_by_grouping": self.photos_by_method}

    def add_to(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return `table` with the column `group`, which it lacks if every row has an observer."""
        rest = table.drop(columns=GROUP, errors="ignore")
        return rest.assign(group=self.groups) if (self.groups != "").any() else rest


def group_encounters(
    table: pd.DataFrame,
    times: Sequence[datetime | None],
    gap_minutes: float,
    find_pairs: Callable[[Sequence[str]], Iterable[tuple[int, int]]] = lambda _: (),
) -> Encounters:
    """Group the photos of a table that have no observer.

    A column `group` decides where it is filled. Photos without observer are one encounter if they
    were taken in one folder with gaps of at most `gap_minutes`, or on one day at one place (or in
    one folder, where the table names no place). Photos with neither time nor day are grouped by
    folder, if each species lies in at least three.

    Args:
        table: columns id, species, observer, observed_on, place, latitude, longitude, image_url
            (N), and perhaps group.
        times: when each photo was taken, if known (N).
        gap_minutes: longest gap between two photos of an encounter.
        find_pairs: gets addresses (M), returns the positions of pairs of near-duplicates. It is
            asked for photos that nothing else groups.
    """
    groups = list(table[GROUP]) if GROUP in table else [""] * len(table)
    methods = [
        _BY_COLUMN if group else _BY_OBSERVER if observer else _ALONE
        for group, observer in zip(groups, table["observer"], strict=True)
    ]
    own_rows = [row for row, method in enumerate(methods) if method == _ALONE]
    own = table.iloc[own_rows]
    bursts: list[_Key | None] = [
        burst and (_BY_GAP, burst)
        for burst in find_bursts(
            own["image_url"].map(_folder), [times[row] for row in own_rows], gap_minutes
        )
    ]
    keys = _keys(own, bursts)
    rest = [row for row, found in enumerate(keys) if not found]
    for one, other in find_pairs(list(own["image_url"].iloc[rest])):
        # Both rows get the key of their pair, which joins the pairs of a burst.
        for position in (one, other):
            keys[rest[position]].append((_BY_LOOKS, (one, other)))
    for row, row_keys, members in zip(own_rows, keys, _components(keys), strict=True):
        if row_keys:
            groups[row] = f"encounter {own['id'].iloc[members].min()}"
            methods[row] = row_keys[0][0]
    counts = Counter(methods)
    order = (_BY_COLUMN, _BY_OBSERVER, _BY_GAP, _BY_DAY, _BY_FOLDER, _BY_LOOKS, _ALONE)
    return Encounters(
        pd.Series(groups, index=table.index, dtype=str),
        {name: counts[name] for name in order if counts[name]},
    )


def find_bursts(
    folders: Iterable[str], times: Iterable[datetime | None], gap_minutes: float
) -> list[tuple[str, datetime] | None]:
    """Return folder and first time of the burst that each photo belongs to; None without a time.

    A burst are the photos of one folder without a gap.

    Args:
        folders: of the photos (N).
        times: when they were taken (N).
        gap_minutes: longest gap between two photos of a burst.
    """
    by_folder: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    count = 0
    for row, (folder, time) in enumerate(zip(folders, times, strict=True)):
        count = row + 1
        if time:
            by_folder[folder].append((time, row))
    bursts: list[tuple[str, datetime] | None] = [None] * count
    gap = timedelta(minutes=gap_minutes)
    for folder, taken in by_folder.items():
        taken.sort()
        first = previous = taken[0][0]
        for time, row in taken:
            if time - previous > gap:
                first = time
            bursts[row] = (folder, first)
            previous = time
    return bursts


def _folder(address: str) -> str:
    """Return the folder of a local file; "" for a web address."""
    return PurePath(address.replace("\\", "/")).parent.as_posix() if is_local(address) else ""


def _keys(own: pd.DataFrame, bursts: Sequence[_Key | None]) -> list[list[_Key]]:
    """Return the keys of each row; rows that share a key belong together.

    Days join whole bursts, so they are left out for photos with a time if that leaves a species
    with too few groups to split.
    """
    days = parse_dates(own["observed_on"])
    places = [_place(row) for row in own.to_dict("records")]
    by_day: list[_Key | None] = [
        (_BY_DAY, (place, day)) if day else None for place, day in zip(places, days, strict=True)
    ]
    both = [[key for key in pair if key] for pair in zip(bursts, by_day, strict=True)]
    keys = both
    if not _can_be_split(own, both):
        finest = [[burst or day] for burst, day in zip(bursts, by_day, strict=True)]
        keys = [[key for key in row if key] for row in finest]
    rest = [row for row, found in enumerate(keys) if not found]
    by_folder: list[_Key] = [
        (_BY_FOLDER, _folder(address)) for address in own["image_url"].iloc[rest]
    ]
    if all(key[1] for key in by_folder) and _can_be_split(
        own.iloc[rest], [[key] for key in by_folder]
    ):
        for row, key in zip(rest, by_folder, strict=True):
            keys[row] = [key]
    return keys


def _place(row: dict[Hashable, str]) -> str:
    """Return the place of a row: its name, else its coordinates to 1 km, else its folder."""
    if row["place"]:
        return str(row["place"]).casefold()
    if row["latitude"]:
        return f"{float(row['latitude']):.2f} {float(row['longitude']):.2f}"
    return _folder(row["image_url"])


def _can_be_split(own: pd.DataFrame, keys: Sequence[Sequence[_Key]]) -> bool:
    """Return whether each species has enough groups; a row without a key is a group."""
    groups = [rows[0] for rows in _components(keys)]
    return bool(
        (pd.Series(groups).groupby(own["species"].to_numpy()).nunique() >= _MIN_GROUPS).all()
    )


def _components(keys: Sequence[Iterable[_Key]]) -> list[list[int]]:
    """Return for each row all rows connected with it by shared keys, ascending (union-find)."""
    parent = list(range(len(keys)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    first_with: dict[_Key, int] = {}
    for row, row_keys in enumerate(keys):
        for key in row_keys:
            one, other = sorted((root(row), root(first_with.setdefault(key, row))))
            parent[other] = one
    members: dict[int, list[int]] = defaultdict(list)
    for row in range(len(keys)):
        members[root(row)].append(row)
    return [members[root(row)] for row in range(len(keys))]
