"""The tables that carry a photo's whole story from stage to stage, as CSV.

`dataset.csv` has one row a photo: identity, species, split, observer, licence, address.
`photos.csv` is the same table after the download, with three columns more: `file` (relative to
the pipeline's folder), `sha256` of that file, and `outcome`, "ok" or why there is no photo.
The split column is there where the pipeline divides its photos.
"""

import csv
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from panthera_vision.data.taxonomy import is_binomial
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write

OK = "ok"
SYNTHETIC_TAG = "synthetic"
PHOTO_COLUMNS = ("file", "sha256", "outcome")
_DATASET_COLUMNS = ("id", "species", "image_url")
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def is_plain_id(id: str) -> bool:
    """Whether an id is fit for a file's name."""
    return bool(_PLAIN_ID.fullmatch(id))


def normalize_newlines(words: str) -> str:
    """`words` with line feeds for whatever else ends a line in a table.

    A carriage return is left unquoted by CSV writers that end lines with a line feed, and readers
    take what follows it for a row: a stranger's cell could forge one.
    """
    return words.replace("\r\n", "\n").replace("\r", "\n") if "\r" in words else words


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write `table` as CSV, whole, the same bytes for the same table; see `normalize_newlines`."""
    safe = table.copy()
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            safe[name] = table[name].map(_safe_cell)
    with atomic_write(path) as partial:
        safe.to_csv(partial, index=False, lineterminator="\n", encoding="utf-8")


def read_dataset(path: Path) -> pd.DataFrame:
    """Read `dataset.csv`; all columns are text.

    Raises:
        UserError: it is missing, no table, lacks a column, or names what is no photo of ours.
    """
    table = read_table(path, _DATASET_COLUMNS)
    for name, is_fit in (("id", is_plain_id), ("species", is_binomial)):
        strange = table[name][~table[name].map(is_fit).astype(bool)]
        if not strange.empty:
            raise UserError(f"{path}: {name} {strange.iloc[0][:80]!r} is not of our making")
    return table


def read_photos(path: Path, *, splits: bool = False) -> pd.DataFrame:
    """Read `photos.csv`, the rows whose photo is there.

    Raises:
        UserError: it is missing, no table, lacks a column, or has no photo.
    """
    table = read_table(path, (*_DATASET_COLUMNS, *PHOTO_COLUMNS, *(("split",) if splits else ())))
    table = table[table["outcome"] == OK].reset_index(drop=True)
    if table.empty:
        raise UserError(f"{path} has no photo that could be had")
    return table


def of_split(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """The rows of one split.

    Raises:
        UserError: there is none.
    """
    rows = table[table["split"] == split].reset_index(drop=True)
    if rows.empty:
        raise UserError(f"no photo is in the {split} split; add observations or change its share")
    return rows


def photo_paths(table: pd.DataFrame, folder: Path, roots: Sequence[Path]) -> list[Path]:
    """The photos' files, each checked to lie below one of `roots`.

    Raises:
        UserError: a table names a file elsewhere.
    """
    allowed = [root.resolve() for root in roots]
    return [photo_path(file, folder, allowed) for file in table["file"]]


def photo_path(file: str, folder: Path, resolved_roots: Sequence[Path]) -> Path:
    """One photo's file, `file` below `folder`; symbolic links must not lead out of the roots.

    Raises:
        UserError: it lies elsewhere.
    """
    path = folder / file
    try:
        resolved = path.resolve()
    except (OSError, ValueError):  # too long, with a null character, …
        raise UserError(f"{file[:80]!r} is no file's name; the table is not ours") from None
    if not any(resolved.is_relative_to(root) for root in resolved_roots):
        raise UserError(
            f"{path} lies outside {', '.join(map(str, resolved_roots))}; the table is not ours"
        )
    return path


def count_synthetic(table: pd.DataFrame) -> int:
    """How many photos are drawn ones, of the demo set."""
    return int((table["tags"] == SYNTHETIC_TAG).sum()) if "tags" in table else 0


def fingerprint(table: pd.DataFrame) -> str:
    """A SHA-256 of what a model sees of `table`: which photo is which species in which split."""
    columns = [c for c in ("id", "species", "split", "sha256") if c in table]
    lines = sorted("\t".join(row) for row in table[columns].itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _safe_cell(value: Any) -> Any:
    return normalize_newlines(value) if isinstance(value, str) else value


def read_table(path: Path, required: Sequence[str]) -> pd.DataFrame:
    """Read a table that a stage wrote; all columns are text.

    Raises:
        UserError: it is missing, no table, or lacks a column of `required`.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} is not there; `dvc repro` makes it") from None
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        csv.Error,
    ) as error:
        raise UserError(f"{path} is not a table: {error}") from None
    missing = [name for name in required if name not in table]
    if missing:
        raise UserError(f"{path}: column {', '.join(map(repr, missing))} is missing")
    return table
