"""Import a checkpoint from another pipeline; a file that the user put there is kept."""

import json
import shutil
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write, sha256_of_file, write_json

MODEL_FILE = "best_model.pth"
RECORD_FILE = "imported.json"


def import_checkpoint(source: Path, folder: Path) -> str:
    """Copy `source` to `folder` and record its SHA-256; keep a file that the user put there.

    A file whose SHA-256 is neither the recorded one nor that of `source` is the user's.

    Returns:
        A phrase that says what was done.

    Raises:
        UserError: there is neither a source nor a file of the user's.
    """
    target, record = folder / MODEL_FILE, folder / RECORD_FILE
    # A run that was killed may have copied `source` without recording it.
    imported = {_recorded_sha256(record), sha256_of_file(source) if source.exists() else ""}
    if target.exists() and sha256_of_file(target) not in imported:
        if not record.exists():  # DVC expects this output of the stage in any case
            write_json(record, {"sha256": ""})
        return f"kept {target}, which was put there by hand; delete it to import {source}"
    if not source.exists():
        raise UserError(
            f"{source} does not exist: train the classifier, or put a model at {target}"
        )
    with atomic_write(target) as partial:
        shutil.copyfile(source, partial)
    write_json(record, {"sha256": sha256_of_file(target)})
    return f"{source} → {target}"


def _recorded_sha256(record: Path) -> str:
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
