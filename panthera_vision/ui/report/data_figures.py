"""What the photos are: by species, split, year and licence, where from, and what was left out."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pydantic import BaseModel

from panthera_vision.data.photo_table import read_table
from panthera_vision.data.splits import SPLITS
from panthera_vision.download.stage import DownloadCounts
from panthera_vision.errors import UserError
from panthera_vision.ui.report.read_results import read_json_as

REPORT_FILE = "preparation_report.json"
OUTCOMES_FILE = "download_outcomes.csv"
_PREPARE, _DOWNLOAD = "prepare", "download"
_MAP_COLUMNS = ("species", "latitude", "longitude", "place", "observed_on")


class Preparation(BaseModel):
    """What became of the export's rows."""

    rows_read: int
    rows_kept: int
    dropped_by_reason: dict[str, int]


def by_species_and_split(photos: pd.DataFrame) -> pd.DataFrame:
    """Columns species, split and photos; all pairs are there."""
    pairs = pd.MultiIndex.from_product(
        [sorted(photos["species"].unique()), SPLITS], names=["species", "split"]
    )
    counts = photos.groupby(["species", "split"]).size().reindex(pairs, fill_value=0)
    return counts.rename("photos").reset_index()


def by_year(photos: pd.DataFrame) -> pd.DataFrame:
    """Columns year and photos, in order; photos whose date is not known are left out."""
    years = _column(photos, "observed_on").str.extract(r"^(\d{4})(?:-|$)")[0].dropna().astype(int)
    counts = years.value_counts().sort_index()
    return pd.DataFrame({"year": counts.index.to_numpy(), "photos": counts.to_numpy()})


def by_license(photos: pd.DataFrame) -> pd.DataFrame:
    """Columns license ("" where all rights are reserved), photos and share, the most first."""
    counts = _column(photos, "license").value_counts()
    return pd.DataFrame(
        {
            "license": counts.index.to_numpy(),
            "photos": counts.to_numpy(),
            "share": (counts / max(len(photos), 1)).to_numpy(),
        }
    )


def not_for_commerce(licenses: Sequence[str]) -> int:
    """How many of the photos' licences forbid commercial use, none at all included."""
    codes = [code.upper() for code in licenses]
    return sum(not code or "NC" in code.split("-") for code in codes)


def located(photos: pd.DataFrame) -> pd.DataFrame:
    """The photos whose coordinates are known, as numbers, with species, place and date."""
    table = photos.reindex(columns=list(_MAP_COLUMNS), fill_value="")
    for name, most in (("latitude", 90), ("longitude", 180)):
        degrees = pd.to_numeric(table[name], errors="coerce")
        table[name] = degrees.where(degrees.between(-most, most))
    return table.dropna(subset=["latitude", "longitude"]).reset_index(drop=True)


def read_preparation(results: Path) -> Preparation:
    """What `prepare` wrote about the export's rows.

    Raises:
        UserError: it is missing or broken.
    """
    return read_json_as(results / REPORT_FILE, Preparation)


def left_out(preparation: Preparation, results: Path) -> pd.DataFrame:
    """Columns stage, reason and rows: the rows of the export that are no photo, the most first.

    Raises:
        UserError: the table of `download` is missing or broken.
    """
    path = results / OUTCOMES_FILE
    outcomes = read_table(path, ("outcome", "photos"))
    counts = pd.to_numeric(outcomes["photos"], errors="coerce")
    if counts.isna().any():
        raise UserError(f"{path} is broken: a number of photos is none")
    rows = [(_PREPARE, reason, count) for reason, count in preparation.dropped_by_reason.items()]
    rows += [
        (_DOWNLOAD, outcome, int(count))
        for outcome, count in zip(outcomes["outcome"], counts, strict=True)
        if outcome not in DownloadCounts.GOOD
    ]
    rows.sort(key=lambda row: (-row[2], row[1]))
    return pd.DataFrame(rows, columns=["stage", "reason", "rows"])


def _column(photos: pd.DataFrame, name: str) -> pd.Series:
    """A column that an older table may lack."""
    return photos[name] if name in photos else pd.Series("", index=photos.index)
