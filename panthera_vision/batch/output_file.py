"""Protect the user's files from `--out`: no output over an input, earlier results are kept."""

import csv
import io
import json
import os
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

from panthera_vision.batch.output_formats import CAMERA_COLUMNS, COLUMNS, OPTIONAL_COLUMNS
from panthera_vision.errors import UserError
from panthera_vision.io.csv_safety import escape_csv_cell
from panthera_vision.io.json_stream import stream_members


def check_output(out: Path, suffixes: Collection[str], inputs: Iterable[Path]) -> None:
    """Check that a command may write `out`, before it begins its work.

    Raises:
        UserError: the suffix is not one of `suffixes`, it is one of `inputs` (under whatever
            name), or a folder is where the file, or a file where its folder should be.
    """
    if out.suffix.lower() not in suffixes:
        raise UserError(
            f"--out {out}: the file name must end in {' or '.join(suffixes)}; the word after --out "
            "is the file to write"
        )
    if out.is_dir():
        raise UserError(f"--out {out} is a folder; name a file in it")
    folder = next(parent for parent in out.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir():
        raise UserError(f"--out {out}: {folder} is not a folder")
    for path in inputs:
        if _is_same_file(out, path):
            raise UserError(f"--out {out} would overwrite the input {path}; name another file")


def _is_same_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:  # one of them is not there
        return False


def keep_earlier(out: Path, answered: Iterable[str]) -> str:
    """Copy an earlier file beside it as `.bak`, if it says something that the new one does not.

    Args:
        out: the file that will be replaced.
        answered: photos that have a result in the new file.

    Returns:
        What was kept, to append to a summary; empty if nothing was.
    """
    if not out.exists():
        return ""
    earlier = _answered_in(out)
    if earlier is not None and earlier <= {_as_written(file) for file in answered}:
        return ""
    number = 1
    while os.path.lexists(backup := out.with_name(f"{out.name}.bak{number if number > 1 else ''}")):
        number += 1
    shutil.copy2(out, backup)
    kind = "has no results of this command" if earlier is None else "has results for other photos"
    return f"; the earlier {out.name} {kind} and is kept as {backup.name}"


def _answered_in(out: Path) -> set[str] | None:
    """Return the photos with a result in an earlier output; None if it is something else."""
    try:
        if out.suffix.lower() == ".json":
            return _answered_in_json(out)
        text = out.read_text(encoding="utf-8")
        if out.suffix.lower() == ".csv":
            reader = csv.DictReader(io.StringIO(text, newline=""))
            names = set(reader.fieldnames or ())
            required = set(COLUMNS) - {"note", *CAMERA_COLUMNS}
            if not required <= names <= {*COLUMNS, *OPTIONAL_COLUMNS}:
                return None
            rows = list(reader)
        else:
            rows = [json.loads(line) for line in text.split("\n") if line]
        return {_as_written(row["file"]) for row in rows if not row["reason"]}
    except (ValueError, KeyError, TypeError, csv.Error, UserError):
        return None


def _answered_in_json(out: Path) -> set[str] | None:
    """Return the photos with a result in an output of the search, or in MegaDetector's format."""
    answered, arrays, found = set(), ("photos", "images"), False
    for key, value in stream_members(out, arrays):
        if key in arrays:
            found = True
            if value and not (value.get("reason") or value.get("failure")):
                answered.add(_as_written(value["file"]))
    return answered if found else None


def _as_written(file: str) -> str:
    """Return a name as the table has it: escaped, and in UTF-8."""
    return escape_csv_cell(file).encode("utf-8", "backslashreplace").decode()
