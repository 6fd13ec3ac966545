"""Read and append `corrections.csv`: what people decided about single photos, with its history.

One line per decision; nothing is ever overwritten, so the file can be kept in git and merged. The
last decision about a photo counts; "withdrawn" takes the one before it back.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from panthera_vision.data.csv_dialect import read_rows
from panthera_vision.data.photo_table import is_plain_id
from panthera_vision.data.taxonomy import is_binomial
from panthera_vision.errors import UserError, list_names
from panthera_vision.io.atomic import write_text
from panthera_vision.io.csv_safety import escape_csv_cell, unescape_csv_cell

SPECIES = "species"  # the photo shows another species
UNUSABLE = "unusable"
DUPLICATE = "duplicate"
CORRECT = "correct"  # the label is right after all
WITHDRAWN = "withdrawn"
VERDICTS = (SPECIES, UNUSABLE, DUPLICATE, CORRECT, WITHDRAWN)
UNUSABLE_REASONS = ("drawing", "no animal", "dead", "captive", "several species")
_SHA256_DIGITS = 64
_LOCK_SECONDS = 30


class PhotoKey(NamedTuple):
    """Name a photo by its id in the table, by the SHA-256 of its file, or by both."""

    id: str
    sha256: str = ""

    def __str__(self) -> str:
        """Return the id, or else the SHA-256."""
        return self.id or self.sha256


@dataclass(frozen=True)
class Correction:
    """Hold one decision about a photo.

    Attributes:
        id: of the photo in `dataset.csv`; "" for a photo that is in no table yet.
        sha256: of the photo's file, in hexadecimal; "" if it is not known.
        verdict: one of `VERDICTS`.
        species: that the photo shows; with the verdict "species" only.
        duplicate_of: id of the photo that is kept; with the verdict "duplicate" only.
        reason: one of `UNUSABLE_REASONS`; with the verdict "unusable" only.
        reviewer: who decided.
        time: when, as ISO 8601 in UTC.
        comment: why, in the reviewer's words.
    """

    id: str
    sha256: str
    verdict: str
    species: str = ""
    duplicate_of: str = ""
    reason: str = ""
    reviewer: str = ""
    time: str = ""
    comment: str = ""

    @property
    def photo(self) -> PhotoKey:
        """Return the names of the photo."""
        return PhotoKey(self.id, self.sha256)

    def problem(self) -> str | None:
        """Return what is wrong with it, or None."""
        wanted = {
            SPECIES: ("species", is_binomial(self.species), "a species such as 'Panthera leo'"),
            UNUSABLE: ("reason", self.reason in UNUSABLE_REASONS, list_names(UNUSABLE_REASONS)),
            DUPLICATE: ("duplicate_of", is_plain_id(self.duplicate_of), "the id of another photo"),
        }
        if self.verdict not in VERDICTS:
            return f"verdict {self.verdict[:40]!r} is none of {', '.join(VERDICTS)}"
        if not is_plain_id(self.id) and (self.id or not _is_sha256(self.sha256)):
            return f"id {self.id[:40]!r} is not that of a photo, and there is no SHA-256"
        if self.sha256 and not _is_sha256(self.sha256):
            return f"sha256 {self.sha256[:70]!r} is not 64 hexadecimal digits"
        if self.verdict == DUPLICATE and self.duplicate_of == self.id:
            return f"photo {self.id} can't be a duplicate of itself"
        column, is_valid, allowed = wanted.get(self.verdict, ("", True, ""))
        if is_valid:
            return None
        return f"{column} {str(getattr(self, column))[:40]!r}: with {self.verdict}, name {allowed}"


COLUMNS = tuple(field.name for field in fields(Correction))


def _is_sha256(text: str) -> bool:
    return len(text) == _SHA256_DIGITS and set(text) <= set("0123456789abcdef")


def now() -> str:
    """Return the time as `Correction.time` has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_corrections(path: Path) -> list[Correction]:
    """Read all decisions in their order; none if there is no such file.

    Raises:
        UserError: a line is invalid; the message names it.
    """
    if not path.exists():
        return []
    rows = read_rows(path)
    header = next((cells for _, cells in rows), list(COLUMNS))
    columns = [name.strip() for name in header]
    if missing := [name for name in ("id", "verdict") if name not in columns]:
        raise UserError(f"{path}: column {', '.join(map(repr, missing))} is missing")
    corrections = []
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        given = dict(
            zip(columns, (unescape_csv_cell(cell.strip()) for cell in cells), strict=False)
        )
        correction = Correction(**{name: given.get(name, "") for name in COLUMNS})
        if problem := correction.problem():
            raise UserError(f"{path}, line {line}: {problem}")
        corrections.append(correction)
    return corrections


def append_corrections(path: Path, corrections: Iterable[Correction]) -> None:
    """Append decisions atomically, under a file lock: of two writers, neither loses a line.

    Raises:
        UserError: one is invalid, or another process keeps the lock for 30 seconds.
        OSError: the file can't be written.
    """
    from filelock import FileLock, Timeout

    new = list(corrections)
    for correction in new:
        if problem := correction.problem():
            raise UserError(problem)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    try:
        with FileLock(lock, timeout=_LOCK_SECONDS):
            write_text(path, _lines([*read_corrections(path), *new]))
    except Timeout:
        raise UserError(f"{path} is being written by another process; try again") from None


def _lines(corrections: Sequence[Correction]) -> str:
    """Return a CSV file, its cells safe in spreadsheets."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for correction in corrections:
        cells = {name: " ".join(value.split()) for name, value in asdict(correction).items()}
        writer.writerow({name: escape_csv_cell(cell) for name, cell in cells.items()})
    return text.getvalue()


def decisions_by_photo(corrections: Iterable[Correction]) -> dict[str, list[Correction]]:
    """Return the decisions about each photo that were not withdrawn, the oldest first.

    Photos are named by their id, or by their SHA-256 without one. A withdrawal takes back the
    decision before it.
    """
    history: dict[str, list[Correction]] = defaultdict(list)
    for correction in corrections:
        of_photo = history[str(correction.photo)]
        if correction.verdict != WITHDRAWN:
            of_photo.append(correction)
        elif of_photo:
            of_photo.pop()
    return {photo: of_photo for photo, of_photo in history.items() if of_photo}


def current_verdicts(corrections: Iterable[Correction]) -> dict[str, Correction]:
    """Return the decision that counts for each photo: the last one that was not withdrawn."""
    return {photo: all_[-1] for photo, all_ in decisions_by_photo(corrections).items()}
