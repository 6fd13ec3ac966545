"""The results of a search as a CSV table to take along."""

import re
from collections.abc import Sequence

import pandas as pd

from panthera_vision.io.csv_safety import escape_csv_cell
from panthera_vision.search.described import DESCRIBING_COLUMNS
from panthera_vision.search.results import HitGroup

# A number is no formula, also where it begins with a minus.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def results_csv(photos: pd.DataFrame, hits: Sequence[HitGroup]) -> bytes:
    """One line a photo, near-duplicates below the hit that stands for them, fit for a spreadsheet.

    UTF-8 with a mark at the beginning, by which spreadsheets tell it.
    """
    lines = []
    for rank, folded in enumerate(hits, start=1):
        for hit in (folded.best, *folded.others):
            photo = photos.iloc[hit.row]
            values = {name: _cell(str(photo.get(name, ""))) for name in DESCRIBING_COLUMNS}
            duplicate = "" if hit is folded.best else "near-duplicate"
            lines.append(
                {"rank": rank, "fold": duplicate, "similarity": f"{hit.similarity:.4f}"} | values
            )
    table = pd.DataFrame(lines, columns=["rank", "fold", "similarity", *DESCRIBING_COLUMNS])
    return table.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _cell(words: str) -> str:
    return words if _NUMBER.fullmatch(words) else escape_csv_cell(words)
