"""Read and write the CSV tables of photos that stages pass to each other.

`dataset.csv` has one row per photo: id, species, split, observer, license, URL. `photos.csv` is
the same table after the download, with three more columns: `file`, relative to the folder of the
table, its `sha256`, and `outcome`: "ok", or why there is no photo. The search has no split.
"""

import csv
import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from panthera_vision.data.csv_dialect import detect_dialect, not_utf8
from panthera_vision.data.taxonomy import is_binomial
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.csv_safety import normalize_newlines

OK = "ok"
SYNTHETIC_TAG = "synthetic"
PHOTO_COLUMNS = ("file", "sha256", "outcome")
_DATASET_COLUMNS = ("id", "species", "image_url")
MAX_ID_LENGTH = 64
_PLAIN_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_ID_LENGTH - 1}}}")


def is_plain_id(id: str) -> bool:
    """Return whether an id is safe as a file name."""
    return bool(_PLAIN_ID.fullmatch(id))


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write `table` as CSV, atomically; the same table gives the same bytes."""
    safe = table.copy()
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            safe[name] = table[name].map(_safe_cell)
    with atomic_write(path) as partial:
        safe.to_csv(partial, index=False, lineterminator="\n", encoding="utf-8")


def _safe_cell(value: Any) -> Any:
    return normalize_newlines(value) if isinstance(value, str) else value


def read_table(path: Path, required: Sequence[str]) -> pd.DataFrame:
    """Read a table of a stage or of a user; all columns are text, missing cells are empty.

    The delimiter and the encoding are detected (`detect_dialect`).

    Raises:
        UserError: it does not exist, is not CSV, or lacks a column of `required`.
    """
    try:
        dialect = detect_dialect(path)
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding=dialect.encoding,
            sep=dialect.delimiter,
            skiprows=dialect.skipped_lines,
            index_col=False,
        ).fillna("")
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; `dvc repro` creates it") from None
    except UnicodeError as error:
        raise not_utf8(path, error) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise UserError(f"{path} is not a table: {error}") from None
    table.columns = table.columns.str.strip()
    missing = [name for name in required if name not in table]
    if missing:
        raise UserError(f"{path}: column {', '.join(map(repr, missing))} is missing")
    return table


def read_dataset(path: Path) -> pd.DataFrame:
    """Read `dataset.csv`; all columns are text.

    Raises:
        UserError: as `read_table`, or an id or a species is not safe as a file name.
    """
    table = read_table(path, _DATASET_COLUMNS)
    for name, is_safe in (("id", is_plain_id), ("species", is_binomial)):
        unsafe = table[name][~table[name].map(is_safe).astype(bool)]
        if not unsafe.empty:
            raise UserError(
                f"{path}: {name} {unsafe.iloc[0][:80]!r} is invalid; `dvc repro` rewrites it"
            )
    return table


def read_photos(path: Path, *, splits: bool = False) -> pd.DataFrame:
    """Read the rows of `photos.csv` that have a photo; with `splits`, require a split column.

    Raises:
        UserError: as `read_table`, or no row has a photo.
    """
    table = read_table(path, (*_DATASET_COLUMNS, *PHOTO_COLUMNS, *(("split",) if splits else ())))
    table = table[table["outcome"] == OK].reset_index(drop=True)
    if table.empty:
        raise UserError(f"{path}: no photo was downloaded; see the column 'outcome'")
    return table


def of_split(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return the rows of one split.

    Raises:
        UserError: there is none.
    """
    rows = table[table["split"] == split].reset_index(drop=True)
    if rows.empty:
        raise UserError(f"no photo is in the {split} split; add observations or change its share")
    return rows


def rebase_files(table: pd.DataFrame, source: Path, target: Path) -> pd.DataFrame:
    """Return `table` with its column `file` relative to folder `target` instead of `source`."""
    folders: dict[str, str] = {}

    def rebased(file: str) -> str:
        folder, name = posixpath.split(file)
        if folder not in folders:
            folders[folder] = Path(os.path.relpath(source / folder, target)).as_posix()
        return posixpath.normpath(posixpath.join(folders[folder], name)) if name else ""

    return table.assign(file=table["file"].map(rebased))


def photo_paths(table: pd.DataFrame, folder: Path, roots: Sequence[Path]) -> list[Path]:
    """Return the path of each photo of a table in `folder`, guarded against path traversal.

    Raises:
        UserError: a file lies outside `roots`, or does not exist.
    """
    resolved = [root.resolve() for root in roots]
    inside: dict[Path, bool] = {}  # folders: resolving every file takes minutes for a million
    paths = []
    for file in table["file"]:
        path = folder / file
        if path.parent not in inside:
            inside[path.parent] = _is_inside_any(path.parent, resolved)
        if not inside[path.parent] or path.name == ".." or not _is_regular_file(path):
            photo_path(file, folder, resolved)
            if not path.exists():
                raise UserError(
                    f"{path} does not exist; `dvc repro` restores photos and their table"
                )
        paths.append(path)
    return paths


def _is_inside_any(folder: Path, resolved_roots: Sequence[Path]) -> bool:
    try:
        resolved = folder.resolve()
    except (OSError, ValueError):
        return False
    return any(resolved.is_relative_to(root) for root in resolved_roots)


def _is_regular_file(path: Path) -> bool:
    """Return whether it exists and is neither a folder nor a symbolic link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def photo_path(file: str, folder: Path, resolved_roots: Sequence[Path]) -> Path:
    """Return the path of `file` relative to `folder`, guarded against path traversal.

    Symbolic links are followed and must not lead out of the roots either.

    Raises:
        UserError: it lies outside all of `resolved_roots`.
    """
    path = folder / file
    try:
        resolved = path.resolve()
    except (OSError, ValueError):  # too long, with a null character, …
        raise UserError(
            f"{file[:80]!r} is not a file name; `dvc repro` rewrites the table"
        ) from None
    if not any(resolved.is_relative_to(root) for root in resolved_roots):
        raise UserError(
            f"{path} lies outside {', '.join(map(str, resolved_roots))}: its table is damaged, of "
            "another project or of an older version; `dvc repro` rewrites it"
        )
    return path


def count_synthetic(table: pd.DataFrame) -> int:
    """Return how many photos are synthetic, drawn for the demo."""
    return int((table["tags"] == SYNTHETIC_TAG).sum()) if "tags" in table else 0


def fingerprint(table: pd.DataFrame) -> str:
    """Return a SHA-256 of the id, species, split and file content of each photo, in any order."""
    columns = [c for c in ("id", "species", "split", "sha256") if c in table]
    lines = sorted("\t".join(row) for row in table[columns].itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
