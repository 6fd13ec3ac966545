"""A checkpoint brought from one pipeline to another, without trampling on a user's own file."""

import json
import shutil
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write, sha256_of_file, write_json

MODEL_FILE = "best_model.pth"
NOTE_FILE = "brought.json"


def import_checkpoint(source: Path, folder: Path) -> str:
    """Copy `source` to `folder`, unless a file that was copied there by hand is in its place.

    What was brought is noted beside it; a file that differs from the note is the user's.

    Returns:
        A phrase that says what was done.

    Raises:
        UserError: there is neither a source nor a file copied by hand.
    """
    target, note = folder / MODEL_FILE, folder / NOTE_FILE
    # A file equal to the source may be what a run that was killed brought and did not note.
    ours = {_brought(note), sha256_of_file(source) if source.exists() else ""}
    if target.exists() and sha256_of_file(target) not in ours:
        if not note.exists():  # the stage's output, also where it brought nothing
            write_json(note, {"sha256": ""})
        return f"{target} was put there by hand and stays; delete it to have {source} instead"
    if not source.exists():
        raise UserError(f"{source} is not there; train the classifier, or put a model at {target}")
    with atomic_write(target) as partial:
        shutil.copyfile(source, partial)
    write_json(note, {"sha256": sha256_of_file(target)})
    return f"{source} → {target}"


def _brought(note: Path) -> str:
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
