"""Words of strangers in tables that people open in a spreadsheet."""

# What a spreadsheet takes for the beginning of a formula, also in its full-width forms, and the
# blanks that it skips to get there.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def as_plain_cell(value: str) -> str:
    """`value` such that a spreadsheet shows it as text and computes nothing.

    >>> as_plain_cell("=1+1")
    "'=1+1"
    >>> as_plain_cell("(c) Ann")
    '(c) Ann'
    """
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
