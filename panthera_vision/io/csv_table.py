"""Write CSV tables row by row, atomically; read numbers from their cells."""

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from panthera_vision.io.atomic import atomic_write


@contextmanager
def csv_table_writer(path: Path, columns: Sequence[str]) -> Iterator["csv.DictWriter[str]"]:
    """Yield a writer of a table, which has its header and is there at the end, whole.

    Missing cells are empty. What UTF-8 can't hold, as in some names of files, is escaped.

    Raises:
        OSError: the file can't be written.
    """
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        yield writer


def parse_number(cell: str) -> float | None:
    """Return the number in a cell; None if there is none, or it is infinite or NaN."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
