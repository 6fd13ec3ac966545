"""What is in the data, shaped for a page."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.photo_table import read_table
from panthera_vision.photos.collection import Counts

_SPLITS = ("train", "validation", "test")


def by_species_and_split(photos: pd.DataFrame) -> pd.DataFrame:
    """`species`, `split` and the number of `photos`; one row each, splits in their order."""
    if "split" not in photos:
        photos = photos.assign(split="")
    counts = photos.groupby(["species", "split"]).size().rename("photos").reset_index()
    counts["order"] = [_SPLITS.index(s) if s in _SPLITS else len(_SPLITS) for s in counts["split"]]
    return counts.sort_values(["species", "order"]).reset_index(drop=True)


def by_year(photos: pd.DataFrame) -> pd.DataFrame:
    """`year` and the number of `photos`, of those whose date is known."""
    years = photos["observed_on"].str.extract(r"^(\d{4})-")[0].dropna().astype(int)
    return years.value_counts().sort_index().rename_axis("year").rename("photos").reset_index()


def located(photos: pd.DataFrame) -> pd.DataFrame:
    """The rows whose `latitude` and `longitude` are places on Earth, as numbers."""
    if not {"latitude", "longitude"} <= set(photos):
        return photos.iloc[:0].assign(latitude=[], longitude=[])
    table = photos.assign(
        latitude=pd.to_numeric(photos["latitude"], errors="coerce"),
        longitude=pd.to_numeric(photos["longitude"], errors="coerce"),
    )
    on_earth = table["latitude"].between(-90, 90) & table["longitude"].between(-180, 180)
    return table[on_earth].reset_index(drop=True)


def left_out(preparation_report: Path, download_outcomes: Path) -> Counter[str]:
    """Rows of the export that became no photo, by reason.

    Raises:
        UserError: a report is missing or broken.
    """
    try:
        report = json.loads(preparation_report.read_text(encoding="utf-8"))
        reasons = Counter({str(k): int(v) for k, v in report["dropped_by_reason"].items()})
        outcomes = read_table(download_outcomes, ("outcome", "photos"))
        for outcome, photos in zip(outcomes["outcome"], outcomes["photos"], strict=True):
            if outcome not in Counts.GOOD:
                reasons[outcome] += int(photos)
    except FileNotFoundError:
        raise UserError(f"{preparation_report} is not there; `dvc repro` makes it") from None
    except (ValueError, KeyError, AttributeError, TypeError):
        raise UserError(f"{preparation_report} or {download_outcomes} is broken") from None
    return reasons
