"""Detect the delimiter and the encoding of a CSV table, as saved by spreadsheets in any locale.

Spreadsheets write semicolons where the comma is the decimal separator, tabs as "Unicode text", and
a first line such as "sep=;". Encodings are told by their byte order mark; a table without one is
UTF-8. Other encodings are refused: Windows-1251 and Windows-1252 cannot be told apart.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from panthera_vision.errors import UserError

_DELIMITERS = ",;\t|"
# The mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Beginnings of .xlsx and .ods (ZIP) and of .xls files, which some rename to .csv.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_HEADER_CHARACTERS = 100_000
SAVE_AS_UTF8 = 'save it as UTF-8 (Excel: "CSV UTF-8"; LibreOffice: character set "Unicode (UTF-8)")'


@dataclass(frozen=True)
class CsvDialect:
    """Hold how a table is written: its encoding, its delimiter, and lines before the header."""

    encoding: str
    delimiter: str
    skipped_lines: int = 0


def detect_dialect(path: Path) -> CsvDialect:
    """Detect how a CSV table is written, from its first bytes and its header.

    The delimiter is named by a line "sep=;", or is the one that divides the header into the most
    columns.

    Raises:
        UserError: it is a folder, or is not UTF-8 and has no byte order mark.
        FileNotFoundError: it does not exist.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not a table") from None
    if start in _WORKBOOKS:
        raise UserError(
            f"{path} is a workbook (.xlsx, .ods or .xls), not CSV: save it as CSV UTF-8"
        )
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    with path.open(encoding=encoding, newline="") as file:
        try:
            text = file.read(_HEADER_CHARACTERS)
        except UnicodeDecodeError as error:
            # Only the header counts here; readers find the line of a later error.
            text = error.object[: error.start].decode(encoding, "ignore")
    if "\0" in text[:2] and encoding == "utf-8":
        raise UserError(f"{path}: not UTF-8 but UTF-16 without its mark; {SAVE_AS_UTF8}")
    first, _, rest = text.partition("\n")
    if first.strip().strip('"').lower().startswith("sep="):
        delimiter = first.strip("\r\n").strip('"')[len("sep=") :][:1]
        if delimiter:
            return CsvDialect(encoding, delimiter, skipped_lines=1)
        text = rest
    return CsvDialect(encoding, max(_DELIMITERS, key=lambda each: _columns(text, each)))


def _columns(text: str, delimiter: str) -> int:
    """Return the number of columns of the header if `delimiter` divides them."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return len(next((row for row in rows if row), []))
    except csv.Error:
        return 0


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the last line and the cells of each row of a table, header included.

    Raises:
        UserError: the table is a folder, not CSV or not in a known encoding.
        FileNotFoundError: it does not exist.
    """
    dialect = detect_dialect(path)
    with path.open(encoding=dialect.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=dialect.delimiter)
        try:
            for number, row in enumerate(reader):
                if number >= dialect.skipped_lines:
                    yield reader.line_num, row
        except csv.Error as error:
            raise UserError(f"{path}, line {reader.line_num}: not CSV: {error}") from None
        except UnicodeError as error:
            raise not_utf8(path, error, after_line=reader.line_num) from None


def not_utf8(path: Path, error: UnicodeError, *, after_line: int | None = None) -> UserError:
    """Return the error of a table in another encoding, which says how to save it."""
    place = f" after line {after_line}" if after_line else ""
    reason = error.reason if isinstance(error, UnicodeDecodeError) else str(error)
    return UserError(f"{path}: not UTF-8{place} ({reason}); {SAVE_AS_UTF8}")
