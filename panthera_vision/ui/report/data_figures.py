"""Count the photos by species, split, year and license, and the rows that were left out."""

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
_MAP_COLUMNS = ("species", "latitude", "longitude", "place", "observed_on")


class Preparation(BaseModel):
    """Hold how many rows of the export `prepare` read, kept and dropped."""

    rows_read: int
    rows_kept: int
    dropped_by_reason: dict[str, int]


def count_by_species_and_split(photos: pd.DataFrame) -> pd.DataFrame:
    """Return columns species, split and photos, with all pairs."""
    pairs = pd.MultiIndex.from_product(
        [sorted(photos["species"].unique()), SPLITS], names=["species", "split"]
    )
    counts = photos.groupby(["species", "split"]).size().reindex(pairs, fill_value=0)
    return counts.rename("photos").reset_index()


def count_by_year(photos: pd.DataFrame) -> pd.DataFrame:
    """Return columns year and photos, in order, without the photos whose date is unknown."""
    years = _column(photos, "observed_on").str.extract(r"^(\d{4})(?:-|$)")[0].dropna().astype(int)
    counts = years.value_counts().sort_index()
    return pd.DataFrame({"year": counts.index.to_numpy(), "photos": counts.to_numpy()})


def count_by_license(photos: pd.DataFrame) -> pd.DataFrame:
    """Return columns license ("": all rights reserved), photos and share, most frequent first."""
    counts = _column(photos, "license").value_counts()
    table = counts.rename_axis("license").rename("photos").reset_index()
    return table.assign(share=table["photos"] / max(len(photos), 1))


def count_noncommercial(licenses: Sequence[str]) -> int:
    """Count the licenses that forbid commercial use, no license at all included."""
    codes = [code.upper() for code in licenses]
    return sum(not code or "NC" in code.split("-") for code in codes)


def select_located(photos: pd.DataFrame) -> pd.DataFrame:
    """Return the photos with valid coordinates, as numbers, with species, place and date."""
    table = photos.reindex(columns=list(_MAP_COLUMNS), fill_value="")
    for name, most in (("latitude", 90), ("longitude", 180)):
        degrees = pd.to_numeric(table[name], errors="coerce")
        table[name] = degrees.where(degrees.between(-most, most))
    return table.dropna(subset=["latitude", "longitude"]).reset_index(drop=True)


def read_preparation(results: Path) -> Preparation:
    """Read the report of `prepare`.

    Raises:
        UserError: it is missing or broken.
    """
    return read_json_as(results / REPORT_FILE, Preparation)


def count_left_out(preparation: Preparation, results: Path) -> pd.DataFrame:
    """Return columns stage, reason and rows of what did not become a photo, most frequent first.

    Raises:
        UserError: the table of `download` is missing or broken.
    """
    path = results / OUTCOMES_FILE
    outcomes = read_table(path, ("outcome", "photos"))
    counts = pd.to_numeric(outcomes["photos"], errors="coerce")
    if counts.isna().any():
        raise UserError(f"{path} is broken: a number in the column 'photos' is invalid")
    rows = [("prepare", reason, count) for reason, count in preparation.dropped_by_reason.items()]
    rows += [
        ("download", outcome, int(count))
        for outcome, count in zip(outcomes["outcome"], counts, strict=True)
        if outcome not in DownloadCounts.GOOD
    ]
    rows.sort(key=lambda row: (-row[2], row[1]))
    return pd.DataFrame(rows, columns=["stage", "reason", "rows"])


def _column(photos: pd.DataFrame, name: str) -> pd.Series:
    """Return a column; an older table may lack it."""
    return photos[name] if name in photos else pd.Series("", index=photos.index)
