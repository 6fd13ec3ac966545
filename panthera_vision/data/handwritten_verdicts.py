"""Read verdicts that a person wrote by hand into the column `verdict` of a table for review."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from panthera_vision.data.corrections import (
    CORRECT,
    DUPLICATE,
    SPECIES,
    UNUSABLE,
    UNUSABLE_REASONS,
    Correction,
    now,
)
from panthera_vision.data.csv_dialect import read_rows
from panthera_vision.data.photo_table import is_plain_id
from panthera_vision.data.taxonomy import accepted_name, is_binomial, species_with_common_name
from panthera_vision.errors import UserError, list_names
from panthera_vision.io.csv_safety import unescape_csv_cell

_CORRECT_WORDS = {"correct", "ok", "right", "верно", "правильно"}
_DUPLICATE_WORDS = {"duplicate", "дубликат", "копия"}
_UNUSABLE_WORDS = {reason: reason for reason in UNUSABLE_REASONS} | {
    "рисунок": "drawing",
    "нет животного": "no animal",
    "мёртвое": "dead",
    "мертвое": "dead",
    "в неволе": "captive",
    "несколько видов": "several species",
}
WHAT_TO_WRITE = f"a species, correct, duplicate, duplicate of ID, or {', '.join(UNUSABLE_REASONS)}"
_SPECIES_COLUMNS = ("given_species", "species")
_GROUP = "group"  # of near-duplicates, in duplicates_across_splits.csv


@dataclass
class HandwrittenVerdicts:
    """Hold the decisions of a table.

    Attributes:
        corrections: in the order of the lines.
        without_verdict: number of lines whose verdict is empty.
    """

    corrections: list[Correction] = field(default_factory=list)
    without_verdict: int = 0


def read_verdicts(
    path: Path, sha256_of: Mapping[str, str], reviewer: str = ""
) -> HandwrittenVerdicts:
    """Read the column `verdict` of a table for review; all of it, or nothing.

    Args:
        path: label_review.csv, disagreeing_neighbours.csv, duplicates_across_splits.csv or any
            table with the columns id and verdict.
        sha256_of: of the photos that are known, by id.
        reviewer: who wrote the verdicts.

    Raises:
        UserError: there is no such table, or verdicts can't be understood; the message names the
            lines.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist; `dvc repro` writes the tables for review")
    rows = read_rows(path)
    header = [name.strip().lower() for name in next((cells for _, cells in rows), [])]
    if missing := [name for name in ("id", "verdict") if name not in header]:
        raise UserError(f"{path}: column {', '.join(map(repr, missing))} is missing")
    lines = [
        (line, dict(zip(header, (unescape_csv_cell(c.strip()) for c in cells), strict=False)))
        for line, cells in rows
    ]
    found = HandwrittenVerdicts()
    problems = []
    first_of_group: dict[str, str] = {}
    for line, row in lines:
        original = first_of_group.setdefault(row[_GROUP], row["id"]) if _GROUP in row else ""
        if not row.get("verdict"):
            found.without_verdict += 1
            continue
        correction = parse_verdict(row, original)
        if isinstance(correction, str):
            problems.append(f"line {line}: {correction}")
            continue
        sha256 = sha256_of.get(correction.id, "")
        parts = vars(correction) | {"sha256": sha256, "reviewer": reviewer, "time": now()}
        found.corrections.append(Correction(**parts))
    if problems:
        raise UserError(
            f"{path}: nothing was imported, because {len(problems)} verdicts can't be understood "
            f"({list_names(problems, most=5)}); write {WHAT_TO_WRITE}"
        )
    return found


def parse_verdict(row: Mapping[str, str], original: str = "") -> Correction | str:
    """Return the decision of a line, or what can't be understood.

    Args:
        row: columns id and verdict, and perhaps species or given_species.
        original: id of the photo that is kept of its group of near-duplicates.
    """
    id, text = row["id"], row["verdict"]
    word = " ".join(text.split()).casefold()
    if not is_plain_id(id):
        return f"id {id[:40]!r} is not that of a photo (format the column as text)"
    if word in _CORRECT_WORDS:
        return Correction(id, "", CORRECT)
    if reason := _UNUSABLE_WORDS.get(word):
        return Correction(id, "", UNUSABLE, reason=reason)
    first, _, named = text.partition(" of ")
    if first.strip().casefold() in _DUPLICATE_WORDS:
        correction = Correction(id, "", DUPLICATE, duplicate_of=named.strip() or original)
        return f"{text!r}: of which photo?" if correction.problem() else correction
    species = accepted_name(species_with_common_name(text) or text)
    if not is_binomial(species):
        return repr(text[:40])
    given = next((row[name] for name in _SPECIES_COLUMNS if row.get(name)), "")
    if species == given:
        return Correction(id, "", CORRECT)
    return Correction(id, "", SPECIES, species=species)
