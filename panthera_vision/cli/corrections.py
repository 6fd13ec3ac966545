"""Take in what people decided about photos: import verdicts, export labeled photos, show counts.

Run it in the folder of the classification pipeline. `import` reads the column `verdict` of
label_review.csv, disagreeing_neighbours.csv and duplicates_across_splits.csv: a species, correct,
duplicate, or why a photo can't be used (drawing, no animal, dead, captive, several species).
`export` copies photos that were labeled on the review page to data/labeled_photos, on which
`dvc repro` then trains.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panthera_vision.data.corrections import Correction

CORRECTIONS = Path("data", "corrections.csv")
PHOTOS = Path("data", "photos.csv")
LABELED = Path("data", "labeled_photos")
PROPOSED = Path("results", "proposed_photos.csv")


def import_verdicts(arguments: argparse.Namespace) -> str:
    """Append the verdicts of tables to the corrections; those that are there already are left."""
    from panthera_vision.data.corrections import (
        append_corrections,
        current_verdicts,
        read_corrections,
    )
    from panthera_vision.data.handwritten_verdicts import read_verdicts
    from panthera_vision.data.photo_table import read_photos

    table = read_photos(PHOTOS) if PHOTOS.exists() else None
    known = {} if table is None else dict(zip(table["id"], table["sha256"], strict=True))
    current = current_verdicts(read_corrections(CORRECTIONS))
    new, repeated, empty, unknown = [], 0, 0, 0
    for file in arguments.files:  # all are read before anything is written
        found = read_verdicts(file, known, arguments.reviewer)
        empty += found.without_verdict
        for correction in found.corrections:
            unknown += correction.id not in known
            if _says(current.get(correction.id)) == _says(correction):
                repeated += 1
            else:
                new.append(correction)
                current[correction.id] = correction
    if new:
        append_corrections(CORRECTIONS, new)
    notes = [f"{len(new)} verdicts imported", f"{repeated} were there already"]
    notes += [f"{empty} lines without one"]
    notes += [f"{unknown} name photos that {PHOTOS} does not have"] if unknown else []
    return f"corrections: {', '.join(notes)}; {CORRECTIONS}"


def _says(correction: "Correction | None") -> tuple[str, ...]:
    """Return what a decision says, without who decided and when."""
    if correction is None:
        return ()
    return (correction.verdict, correction.species, correction.duplicate_of, correction.reason)


def export_labeled(arguments: argparse.Namespace) -> str:
    """Copy the labeled ones of the proposed photos to the folder of labeled photos."""
    from panthera_vision.data.corrections import SPECIES, current_verdicts, read_corrections
    from panthera_vision.data.proposed_photos import read_proposed_photos
    from panthera_vision.errors import UserError
    from panthera_vision.sources.labeled_photos import Photographer, export_labeled_photos

    proposed = read_proposed_photos(PROPOSED)
    verdicts = current_verdicts(read_corrections(CORRECTIONS))
    decided = {each.sha256: verdicts[each.sha256] for each in proposed if each.sha256 in verdicts}
    species = {sha: each.species for sha, each in decided.items() if each.verdict == SPECIES}
    labeled = [each for each in proposed if each.sha256 in species]
    if not labeled:
        raise UserError(
            f"none of the {len(proposed)} photos of {PROPOSED} has a species yet; label them on "
            "the review page: streamlit run web_app.py -- --review"
        )
    there = [each for each in labeled if each.is_intact()]
    tree = export_labeled_photos(
        LABELED,
        {each.path: species[each.sha256] for each in there},
        Photographer(arguments.photographer, arguments.day.isoformat() if arguments.day else ""),
    )
    notes = [f"{len(there)} photos exported", tree.summary()]
    if missing := len(labeled) - len(there):
        notes.append(f"{missing} labeled photos have moved or changed")
    return f"corrections: {'; '.join(notes)}; {LABELED}; train with `dvc repro`"


def show(arguments: argparse.Namespace) -> str:
    """Count the decisions that count, by verdict."""
    from collections import Counter

    from panthera_vision.data.corrections import current_verdicts, read_corrections

    corrections = read_corrections(CORRECTIONS)
    current = current_verdicts(corrections).values()
    counts = Counter(each.reason or each.species or each.verdict for each in current)
    listed = ", ".join(f"{count} {what}" for what, count in counts.most_common())
    return f"corrections: {len(current)} photos ({listed or 'none'}), {len(corrections)} decisions"


def main(arguments: argparse.Namespace) -> str:
    """Run the action and return a summary."""
    line: str = arguments.action(arguments)
    return line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from panthera_vision.cli.runner import day

    actions = parser.add_subparsers(required=True, metavar="ACTION")
    importing = actions.add_parser("import", help="import the verdicts of tables for review")
    importing.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a table")
    importing.add_argument("--reviewer", default="", metavar="NAME", help="who wrote the verdicts")
    importing.set_defaults(action=import_verdicts)
    exporting = actions.add_parser("export", help="copy labeled photos to the training photos")
    exporting.add_argument(
        "--photographer", default="", metavar="NAME", help="of photos whose EXIF names nobody"
    )
    exporting.add_argument("--day", type=day, help="of photos without an EXIF time")
    exporting.set_defaults(action=export_labeled)
    actions.add_parser("show", help="count the decisions").set_defaults(action=show)
