"""Make cells of untrusted text safe in CSV: formula injection, forged rows."""

import re

# Spreadsheets take these characters (and their full-width forms) for the beginning of a formula,
# and skip blanks before them: at the beginning of a cell, and wherever a cell may be split. With
# a comma as the decimal mark, as in Russian, spreadsheets split at semicolons and ignore quotes.
_SKIPPED = r"(?:[^\S\t\r\n]|[\"\ufeff\u200b])*"
_BLANKS = ("'\t", "'\n")
_FORMULA = re.compile(rf"(^|[;\t\r\n])({_SKIPPED}[=+\-@\uff1d\uff0b\uff0d\uff20])")
_ESCAPED = re.compile(_FORMULA.pattern.replace(")(", ")'("))


def normalize_newlines(text: str) -> str:
    """Replace every line ending by a line feed.

    CSV writers that end lines with a line feed do not quote a carriage return, and readers take
    what follows it for a new row: a cell of an untrusted table could forge one.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def escape_csv_cell(value: str) -> str:
    """Return `value` with an apostrophe before each part that a spreadsheet would compute.

    >>> escape_csv_cell("=1+1")
    "'=1+1"
    >>> escape_csv_cell("Ann; =1+1")
    "Ann;' =1+1"
    >>> escape_csv_cell("(c) Ann")
    '(c) Ann'
    """
    value = normalize_newlines(value)
    if value[:1] in ("\t", "\n"):
        value = f"'{value}"
    return _FORMULA.sub(r"\1'\2", value)


def unescape_csv_cell(value: str) -> str:
    """Return a cell without the apostrophes that `escape_csv_cell` added.

    >>> unescape_csv_cell("'=1+1")
    '=1+1'
    """
    return _ESCAPED.sub(r"\1\2", value.removeprefix("'") if value[:2] in _BLANKS else value)
