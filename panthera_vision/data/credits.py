"""Write and read CREDITS.csv: attribution and license of every photo, as Creative Commons asks."""

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
    "citation",  # of the download, such as GBIF's, with its DOI
)


def write_credits(table: pd.DataFrame, path: Path) -> None:
    """Write one row per downloaded photo of `table`, with cells escaped for spreadsheets.

    A column that `table`, which is like `photos.csv`, does not have stays empty.
    """
    photos = table[table["outcome"] == OK]
    listed = photos.reindex(columns=list(CREDITS_COLUMNS), fill_value="")
    write_table(listed.map(escape_csv_cell), path)


def count_licenses(path: Path) -> Counter[str]:
    """Return the number of photos in CREDITS.csv by license; "" means all rights reserved.

    Raises:
        UserError: the file does not exist or lacks a column.
    """
    return Counter(read_table(path, CREDITS_COLUMNS[:-1])["license"])
