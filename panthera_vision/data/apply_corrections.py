"""Apply what people decided (`corrections.csv`) to a table of photos."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from panthera_vision.data.corrections import (
    CORRECT,
    DUPLICATE,
    SPECIES,
    UNUSABLE,
    Correction,
    current_verdicts,
    decisions_by_photo,
)

# Column of tables: "species" or "correct" where a person decided, "" elsewhere; only if any did.
VERDICT = "verdict"
OTHER_SPECIES = "of a species that is not in allowed_species"
GONE = "name photos that are no longer there"
ORIGINAL_GONE = "name a duplicate whose original is no longer there"


@dataclass(frozen=True)
class AppliedCorrections:
    """Count the corrections of a file; effects, superseded and withdrawn ones add up to `read`.

    Attributes:
        read: number of lines.
        in_effect: what happened to photos → their number.
        without_effect: why a correction changes nothing → their number.
        superseded: those that a later one about the same photo contradicts or repeats.
        withdrawn: those taken back, with the lines that take them back.
    """

    read: int = 0
    in_effect: Counter[str] = field(default_factory=Counter)
    without_effect: Counter[str] = field(default_factory=Counter)
    superseded: int = 0
    withdrawn: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as they are written as JSON; nothing without corrections."""
        if not self.read:
            return {}
        counts = {
            "read": self.read,
            "in_effect": dict(self.in_effect),
            "without_effect": dict(self.without_effect),
            "superseded": self.superseded,
            "withdrawn": self.withdrawn,
        }
        return {"corrections": counts}

    def summary(self) -> str:
        """Return one phrase, or "" without corrections."""
        if not self.read:
            return ""
        effects = ", ".join(f"{count} {what}" for what, count in self.in_effect.items()) or "none"
        phrases = [f"{self.in_effect.total()} corrections in effect ({effects})"]
        phrases += [f"{count} {why}" for why, count in self.without_effect.items()]
        phrases += [f"{self.superseded} superseded"] if self.superseded else []
        return ", ".join(phrases)


def apply_corrections(
    table: pd.DataFrame, corrections: Sequence[Correction], allowed: Sequence[str]
) -> tuple[pd.DataFrame, AppliedCorrections]:
    """Relabel and drop the rows that corrections name by their id.

    Call it after the splits are made: so a correction moves no other photo to another split.

    Args:
        table: columns id, species and taxon (N rows).
        corrections: all of the file.
        allowed: species; photos that turn out to be of another one are dropped.

    Returns:
        The table, with a column `verdict` if a correction decides about a row that stays, and the
        counts.
    """
    current = current_verdicts(corrections)
    kept = sum(map(len, decisions_by_photo(corrections).values()))
    applied = AppliedCorrections(
        read=len(corrections),
        superseded=kept - len(current),
        withdrawn=len(corrections) - kept,
    )
    row_of = dict(zip(table["id"], range(len(table)), strict=True))
    with_id = [each for each in current.values() if each.id]
    there = [each for each in with_id if each.id in row_of]
    if missing := len(with_id) - len(there):
        applied.without_effect[GONE] = missing
    if by_content := len(current) - len(with_id):
        applied.without_effect["name photos by their SHA-256, which the download knows"] = (
            by_content
        )
    species = table["species"].tolist()
    verdicts = [""] * len(table)
    dropped = _drop(there, set(row_of), applied)
    for each in there:
        row = row_of[each.id]
        if each.verdict == SPECIES and each.species not in allowed:
            dropped.add(each.id)
            applied.in_effect[OTHER_SPECIES] += 1
        elif each.verdict in (SPECIES, CORRECT):
            changes = each.verdict == SPECIES and each.species != species[row]
            applied.in_effect["relabeled" if changes else "confirmed"] += 1
            verdicts[row] = SPECIES if changes else CORRECT
            species[row] = each.species or species[row]
    result = table.assign(species=species)
    if any(verdicts):
        changed = [verdict == SPECIES for verdict in verdicts]
        result["taxon"] = table["taxon"].where(~pd.Series(changed, index=table.index), species)
        result[VERDICT] = verdicts
    return result[~table["id"].isin(dropped)].reset_index(drop=True), applied


def _drop(there: Iterable[Correction], ids: set[str], applied: AppliedCorrections) -> set[str]:
    """Return the ids of unusable photos and of duplicates whose original stays; count them."""
    dropped = set()
    for each in there:
        if each.verdict == UNUSABLE:
            dropped.add(each.id)
            applied.in_effect[each.reason] += 1
    for each in there:
        if each.verdict != DUPLICATE:
            continue
        if each.duplicate_of in ids and each.duplicate_of not in dropped:
            dropped.add(each.id)
            applied.in_effect["duplicate"] += 1
        else:
            applied.without_effect[ORIGINAL_GONE] += 1
    return dropped


def apply_by_content(
    photos: pd.DataFrame, corrections: Sequence[Correction]
) -> tuple[pd.DataFrame, Counter[str]]:
    """Relabel, or mark as left out, the photos that corrections name by their SHA-256.

    For photos under another id than when they were reviewed, and for those reviewed before they
    had one. A decision by id wins.

    Args:
        photos: columns id, species, sha256 and outcome, and maybe verdict (N rows).
        corrections: all of the file.

    Returns:
        The table, in which the outcome of unusable photos is the reason, and the number of photos
        relabeled or left out.
    """
    ids, known = set(photos["id"]), set(photos["species"])
    wanted = {
        each.sha256: each
        for each in current_verdicts(corrections).values()
        if each.sha256 and each.id not in ids and each.verdict in (SPECIES, CORRECT, UNUSABLE)
    }
    decided = photos[VERDICT] != "" if VERDICT in photos else pd.Series(False, index=photos.index)
    rows = photos.index[photos["sha256"].isin(wanted.keys()) & ~decided]
    counts: Counter[str] = Counter()
    result = photos.copy()
    for row, sha256 in photos.loc[rows, "sha256"].items():
        each = wanted[str(sha256)]
        if each.verdict == UNUSABLE:
            result.loc[row, ["file", "sha256", "outcome"]] = ["", "", f"unusable: {each.reason}"]
            counts[f"left out as {each.reason}"] += 1
            continue
        if VERDICT not in result:
            result[VERDICT] = ""
        changes = each.verdict == SPECIES and each.species != photos.at[row, "species"]
        if changes and each.species not in known:
            result.loc[row, ["file", "sha256", "outcome"]] = ["", "", OTHER_SPECIES]
            counts[f"left out {OTHER_SPECIES}"] += 1
            continue
        result.at[row, VERDICT] = SPECIES if changes else CORRECT
        if changes:
            result.loc[row, ["species", "taxon"]] = [each.species, each.species]
            counts["relabeled by content"] += 1
    return result, counts
