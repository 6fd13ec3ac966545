"""Combine the predictions for photos of one encounter: `panthera predict --group-by`."""

from array import array
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from sys import intern
from typing import Literal

import numpy as np

from panthera_vision.batch.batch_predict import BatchOptions, Rows
from panthera_vision.batch.detection_items import BLANK
from panthera_vision.batch.output_formats import DIGITS, GROUP_COLUMNS, Row
from panthera_vision.data.encounters import DEFAULT_GAP_MINUTES, find_bursts
from panthera_vision.errors import UserError, list_names
from panthera_vision.images.exif import taken_at
from panthera_vision.inference.prefetch import prefetch
from panthera_vision.models.combination import EncounterSums
from panthera_vision.models.prediction import NONE_OF_THESE

_MAX_GAP_MINUTES = 1440
_THREADS = 2
_AHEAD = 64


@dataclass(frozen=True)
class GroupBy:
    """Say which photos are of one encounter.

    Attributes:
        kind: those of one folder, those of one folder without a gap in their EXIF times, or those
            with the same cell in a column of the table that names them.
        gap_minutes: longest gap between two photos of an encounter.
        cells: file → cell of the column.
    """

    kind: Literal["folder", "gap", "column"]
    gap_minutes: float = DEFAULT_GAP_MINUTES
    cells: Mapping[str, str] = field(default_factory=dict)


def parse_group_by(text: str) -> tuple[GroupBy, str]:
    """Parse `folder`, `gap`, `gap:MINUTES` or the name of a column, which is returned, too.

    Raises:
        UserError: it is empty, or the minutes are not a number from 0 to 1440.
    """
    word, colon, minutes = text.partition(":")
    if word == "folder" and not colon:
        return GroupBy("folder"), ""
    if word != "gap":
        if not text.strip():
            raise UserError("--group-by: write folder, gap, gap:MINUTES or the name of a column")
        return GroupBy("column"), text.strip()
    try:
        gap = float(minutes) if colon else DEFAULT_GAP_MINUTES
    except ValueError:
        gap = -1.0
    if not 0 <= gap <= _MAX_GAP_MINUTES:
        raise UserError(
            f"--group-by {text}: the gap is a number of minutes from 0 to {_MAX_GAP_MINUTES}"
        )
    return GroupBy("gap", gap), ""


def with_groups(
    options: BatchOptions, group_by: GroupBy, cells: Mapping[str, str], ood_threshold: float | None
) -> BatchOptions:
    """Return `options` of a run that adds the columns of `add_group_columns`.

    Args:
        options: of the run.
        group_by: which photos are of one encounter.
        cells: file → cell of the column, for that kind.
        ood_threshold: of the model.
    """
    group_by = replace(group_by, cells=cells)
    return replace(
        options,
        columns=(*options.columns, *GROUP_COLUMNS),
        add_columns=partial(add_group_columns, group_by=group_by, ood_threshold=ood_threshold),
    )


def add_group_columns(
    rows: Rows, group_by: GroupBy, ood_threshold: float | None
) -> tuple[Rows, str]:
    """Add the columns `group`, `group_answer`, … to the rows of photos; see `EncounterSums`.

    A group of which no photo was classified takes the answer of the detector, such as "blank". A
    photo without a time, or without a cell in the column, is a group of its own, named as its file.
    A photo takes a few bytes of memory (with EXIF times some 400), and so does a group.

    Args:
        rows: returns all rows in order, those of one file one after another.
        group_by: which photos are of one encounter.
        ood_threshold: of the model.

    Returns:
        Likewise, with the columns; and the number of groups by answer, as a phrase.
    """
    groups = _Groups(rows, group_by)
    answers = _GroupAnswers(len(groups.names), ood_threshold)
    for group, of_file in groups.of_rows(rows):
        answers.add(group, of_file)

    def rows_with_groups() -> Iterator[Row]:
        latest, shared = -1, {}
        for group, of_file in groups.of_rows(rows):
            if group != latest:
                latest, shared = group, {"group": groups.names[group]} | answers.columns(group)
            yield from (row | shared for row in of_file)

    counts = Counter(
        answers.columns(group)["group_answer"] or "no photo to combine"
        for group in range(len(groups.names))
    )
    return rows_with_groups, groups.summary(counts, int((answers.photos == 1).sum()))


class _GroupAnswers:
    """Combine the predictions of each group.

    Attributes:
        photos: number of photos with a prediction, by group.
    """

    def __init__(self, groups: int, ood_threshold: float | None) -> None:
        self.photos = np.zeros(groups, dtype=int)
        self._threshold = ood_threshold
        self._names: list[str] = []
        self._sums: EncounterSums | None = None
        self._of_detector: dict[int, str] = {}

    def add(self, group: int, of_file: list[Row]) -> None:
        """Add the rows of one file to a group."""
        predicted = [row for row in of_file if row.get("probabilities")]
        self.photos[group] += bool(predicted)
        for row in predicted:
            if self._sums is None:
                self._names = sorted(row["probabilities"])
                self._sums = EncounterSums(len(self.photos), len(self._names), self._threshold)
            given = np.array([row["probabilities"][name] for name in self._names])
            self._sums.add(group, given, row["ood_score"])
        # A person on one frame says more than the blank ones.
        if not predicted and self._of_detector.get(group, BLANK) == BLANK:
            found = {row["answer"] for row in of_file if row.get("answer")}
            if found:
                self._of_detector[group] = min(found, key=lambda answer: (answer == BLANK, answer))

    def columns(self, group: int) -> Row:
        """Return the columns of a group but its name."""
        shared: Row = {"group_photos": int(self.photos[group])}
        if self._sums is None or not self.photos[group]:
            return shared | {"group_answer": self._of_detector.get(group, "")}
        probabilities = self._sums.probabilities(group)
        species = self._names[int(probabilities.argmax())]
        is_none = self._sums.is_none_of_these(group)
        return shared | {
            "group_answer": NONE_OF_THESE if is_none else species,
            "group_species": species,
            "group_probability": round(float(probabilities.max()), DIGITS),
        }


class _Groups:
    """Number the groups in the order of their first photos.

    Attributes:
        names: of the groups.
    """

    def __init__(self, rows: Rows, group_by: GroupBy) -> None:
        self.names: list[str] = []
        self._numbers = array("L")
        self._alone = 0
        numbers: dict[str, int] = {}
        for file, name in _named(rows, group_by):
            self._alone += name is None
            # A file is no name of another group: an impossible prefix keeps them apart.
            key = f"\0{file}" if name is None else name
            if key not in numbers:
                numbers[key] = len(self.names)
                self.names.append(file if name is None else name)
            self._numbers.append(numbers[key])
        self._what_lacks = {"gap": "EXIF time", "column": "cell in that column"}.get(group_by.kind)

    def of_rows(self, rows: Rows) -> Iterator[tuple[int, list[Row]]]:
        """Yield the group of each file, and the file's rows."""
        by_file = groupby(rows(), key=itemgetter("file"))
        for number, (_, of_file) in zip(self._numbers, by_file, strict=True):
            yield number, list(of_file)

    def summary(self, answers: Counter[str], single: int) -> str:
        """Return the number of groups by answer, and how many photos had to stay alone."""
        listed = list_names(f"{count} {name}" for name, count in answers.most_common())
        text = f"; {answers.total()} groups ({listed}), {single} of a single photo"
        if self._alone:
            text += f"; {self._alone} photos have no {self._what_lacks} and stay alone"
        return text


def _named(rows: Rows, group_by: GroupBy) -> Iterator[tuple[str, str | None]]:
    """Yield each file and the name of its group; None if it stays alone."""
    by_file = groupby(rows(), key=itemgetter("file"))
    if group_by.kind == "folder":
        yield from ((file, str(Path(file).parent)) for file, _ in by_file)
    elif group_by.kind == "column":
        yield from ((file, group_by.cells.get(file) or None) for file, _ in by_file)
    else:
        bursts = find_bursts(_folders(rows), _times(rows), group_by.gap_minutes)
        for (file, _), burst in zip(by_file, bursts, strict=True):
            yield file, f"{burst[0]} {burst[1]}" if burst else None


def _folders(rows: Rows) -> Iterator[str]:
    """Yield the folder of each file."""
    for file, _ in groupby(rows(), key=itemgetter("file")):
        yield intern(str(Path(file).parent))


def _times(rows: Rows) -> Generator[datetime | None]:
    """Yield the EXIF time of each file."""
    jobs = (
        partial(_time, file, list(of_file))
        for file, of_file in groupby(rows(), key=itemgetter("file"))
    )
    return prefetch(jobs, ahead=_AHEAD, threads=_THREADS)


def _time(file: str, rows: list[Row]) -> datetime | None:
    """Return the EXIF time of a file, which the rows may have already."""
    if all(row["reason"] for row in rows):
        return None  # such a row may name a file that is not the user's
    if "taken_at" not in rows[0]:
        return taken_at(Path(file))
    written = rows[0]["taken_at"]
    return datetime.fromisoformat(written).replace(tzinfo=None) if written else None
