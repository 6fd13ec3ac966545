"""CREDITS.csv: whose photos are used, under which licence, and where they come from."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import OK, read_table, write_table
from panthera_vision.io.csv_safety import escape_csv_cell

CREDITS_FILE = "CREDITS.csv"
CREDITS_COLUMNS = (
    "id",
    "species",
    "observer",
    "attribution",
    "license",
    "observation_url",
    "image_url",
)
_CREATIVE_COMMONS = re.compile(r"CC-(BY(?:-NC)?(?:-ND|-SA)?)")
_ATTRIBUTION_VERSION = "4.0"  # of the licences that iNaturalist offers


def write_credits(table: pd.DataFrame, path: Path) -> None:
    """List every photo of `table` that is there, one row a photo, fit for a spreadsheet.

    Args:
        table: as `photos.csv`; a column that it lacks stays empty.
        path: the CSV table to write, whole.
    """
    photos = table[table["outcome"] == OK]
    listed = photos.reindex(columns=list(CREDITS_COLUMNS), fill_value="")
    write_table(listed.map(escape_csv_cell), path)


def count_licenses(path: Path) -> Counter[str]:
    """How many photos a table of `write_credits` has by licence; "" where rights are reserved.

    Raises:
        UserError: it is missing, or no such table.
    """
    return Counter(read_table(path, CREDITS_COLUMNS)["license"])


def license_url(code: str) -> str | None:
    """Where the text of a Creative Commons licence stands; None for any other words.

    >>> license_url("CC-BY-NC")
    'https://creativecommons.org/licenses/by-nc/4.0/'
    """
    code = code.upper()
    if code == "CC0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    match = _CREATIVE_COMMONS.fullmatch(code)
    if not match:
        return None
    return f"https://creativecommons.org/licenses/{match[1].lower()}/{_ATTRIBUTION_VERSION}/"
