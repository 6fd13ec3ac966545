"""Find the photos that a command line names: files, folders, and tables of photos."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from panthera_vision.data.photo_table import OK, PHOTO_COLUMNS, read_table
from panthera_vision.errors import UserError, closest_name, list_names
from panthera_vision.images.folders import FolderListing, list_photos, name_some
from panthera_vision.io.csv_safety import unescape_csv_cell
from panthera_vision.io.file_names import find_spelling
from panthera_vision.io.urls import is_local

_CSV_SUFFIXES = (".csv", ".tsv")
_JSON_SUFFIXES = (".jsonl", ".json")
# How the table of predictions writes the bytes of a name that is not UTF-8.
_ESCAPED_BYTE = re.compile(r"\\udc([89a-f][0-9a-f])")


@dataclass
class InputFiles:
    """Hold photo files, each once, in the order in which they were named.

    Attributes:
        photos: the files.
        listing: what was found in folders, and passed over.
        rows_without_file: rows of tables that name no file.
        cells: photo → cell of the column that was asked for, where its table has one.
    """

    photos: list[Path] = field(default_factory=list)
    listing: FolderListing = field(default_factory=FolderListing)
    rows_without_file: int = 0
    cells: dict[str, str] = field(default_factory=dict)

    def skipped_note(self) -> str:
        """Return the counts of what was skipped, to append to a summary; empty if nothing was."""
        rows = f", {self.rows_without_file} rows without a file" if self.rows_without_file else ""
        return self.listing.note() + rows

    def require_readable(self) -> None:
        """Check that all folders could be read, after the photos of the others are done.

        Raises:
            UserError: naming those that could not.
        """
        if self.listing.unreadable:
            raise UserError(
                f"{len(self.listing.unreadable)} folders can't be read, and their photos are "
                f"missing: {name_some(self.listing.unreadable)}"
            )


def find_photos(sources: Iterable[Path], column: str = "") -> InputFiles:
    """Expand folders (recursively) and tables to photo files.

    A table is CSV, or the JSON that predict and search write, with a column `file`, or else
    `image_url`. Its files are relative to its folder, or else to the working directory; a table
    that the user names may name files anywhere.

    Args:
        sources: the files, folders and tables.
        column: of the tables, whose cells are returned, too.

    Raises:
        UserError: a source is not there, a table lacks these columns, none of the files that
            it names is there, no table has `column`, or there is no photo.
    """
    sources = list(sources)
    inputs = InputFiles()
    found: dict[Path, Path] = {}
    columns: set[str] = set()
    spelled = [find_spelling(source) or source for source in sources]
    if missing := [source for source in spelled if not _is_there(source)]:
        raise UserError(f"not there: {name_some(missing)}; nothing was written")
    for source in spelled:
        suffix = source.suffix.lower()
        if source.is_dir():
            before = len(inputs.listing.photos)
            list_photos(source, inputs.listing)
            photos = inputs.listing.photos[before:]
        elif suffix in _CSV_SUFFIXES or suffix in _JSON_SUFFIXES:
            table = _read_json(source) if suffix in _JSON_SUFFIXES else _read_csv(source)
            files = list(table["file"])
            inputs.rows_without_file += files.count("")
            photos = _existing(source, [file for file in files if file])
            columns.update(map(str, table.columns))
            if column in table:
                cells = table[column][table["file"] != ""]
                for photo, cell in zip(photos, cells, strict=True):
                    inputs.cells.setdefault(str(photo), str(cell))
        else:
            photos = [source]
        for photo in photos:
            found.setdefault(photo.absolute(), photo)
    if not found:
        raise UserError(f"no photo in {name_some(sources)}{inputs.skipped_note()}")
    if column and column not in columns:
        there = f"there are {list_names(sorted(columns))}" if columns else "none was given"
        close = closest_name(column, columns)
        meant = f" (did you mean {close}?)" if close else ""
        raise UserError(
            f"--group-by {column}: no table of photos has this column{meant}; {there}. Without a "
            "table, group by folder or gap"
        )
    inputs.photos.extend(found.values())
    return inputs


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:  # its reason is told with the photo
        return True
    except (OSError, ValueError):
        return False
    return True


def _read_csv(source: Path) -> pd.DataFrame:
    """Return a CSV table with the file of each row in `file`; empty if it names none."""
    table = read_table(source, ())
    if set(PHOTO_COLUMNS) <= set(table):
        return table.assign(file=table["file"].where(table["outcome"] == OK, ""))
    if "file" in table:
        return table
    if "image_url" in table:
        return table.assign(file=table["image_url"].where(table["image_url"].map(is_local), ""))
    raise UserError(f"{source}: a table of photos needs a column 'file' or 'image_url'")


def _read_json(source: Path) -> pd.DataFrame:
    """Return a predict or search output as a table with the columns `file` and others."""
    try:
        text = source.read_text(encoding="utf-8-sig")
        if source.suffix.lower() == ".json":
            content = json.loads(text)
            records: list[Any] = content["photos"] if isinstance(content, dict) else content
        else:
            records = [json.loads(line) for line in text.split("\n") if line.strip()]
        files = [str(record["file"] or "") for record in records]
        names = list(records[0]) if records else []
        cells = {name: [_text(record.get(name)) for record in records] for name in names}
        return pd.DataFrame({**cells, "file": files}, dtype=object)  # a name need not be UTF-8
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f"{source} is not an output of predict or search: each photo needs a 'file'"
        ) from None


def _text(value: Any) -> str:
    """Return a JSON value as the cell of a table; nested ones have no use here."""
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _existing(table: Path, files: list[str]) -> list[Path]:
    """Return the paths of a table's files; one that is not there stands for the first place.

    Raises:
        UserError: none of them is there.
    """
    paths, is_any_there = [], False
    for file in files:
        looked_for = table.parent / file
        candidates = [looked_for, Path(file)]
        for name in (unescape_csv_cell(file), _ESCAPED_BYTE.sub(_to_surrogate, file)):
            if name != file:
                candidates += [table.parent / name, Path(name)]
        path = next(filter(_is_there, candidates), None)
        path = path or next(filter(None, map(_spelled, candidates)), None)
        is_any_there = is_any_there or path is not None
        paths.append(path or looked_for)
    if paths and not is_any_there:
        raise UserError(
            f"{table}: none of its {len(paths)} photos is there; looked for {paths[0].absolute()}"
            + ("" if Path(files[0]).is_absolute() else f" and {Path(files[0]).absolute()}")
        )
    return paths


def _spelled(path: Path) -> Path | None:
    try:
        return find_spelling(path)
    except ValueError:  # a null character in the name
        return None


def _to_surrogate(match: re.Match[str]) -> str:
    return chr(0xDC00 + int(match[1], 16))
