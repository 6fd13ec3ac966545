"""Words of strangers in tables that people open in a spreadsheet."""

import re

# What a spreadsheet takes for the beginning of a formula, also in its full-width forms, and what
# it skips to get there: at the beginning of a cell, and wherever a cell may be split. Where the
# decimal mark is a comma, as in Russian, spreadsheets split at semicolons, and a table with commas
# is one cell to them, whose quotes mean nothing.
_SKIPPED = r"(?:[^\S\t\r\n]|[\"\ufeff\u200b])*"
_FORMULA = re.compile(rf"(^|[;\t\r\n])({_SKIPPED}[=+\-@\uff1d\uff0b\uff0d\uff20])")


def escape_csv_cell(value: str) -> str:
    """`value` such that a spreadsheet shows it as text and computes nothing.

    >>> escape_csv_cell("=1+1")
    "'=1+1"
    >>> escape_csv_cell("Ann; =1+1")
    "Ann;' =1+1"
    >>> escape_csv_cell("(c) Ann")
    '(c) Ann'
    """
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    if value[:1] in ("\t", "\n"):
        value = f"'{value}"
    return _FORMULA.sub(r"\1'\2", value)
