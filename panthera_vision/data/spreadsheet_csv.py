"""Write CSV for spreadsheets, guarded against formula injection (CSV injection)."""

from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import write_table
from panthera_vision.io.csv_safety import escape_csv_cell


def write_table_for_people(table: pd.DataFrame, path: Path) -> None:
    """Write `table` as CSV, every text cell escaped so that no spreadsheet runs it as a formula."""
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = safe[column].map(escape_csv_cell)
    write_table(safe, path)
