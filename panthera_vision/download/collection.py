"""Choose the photos to index: another pipeline's, or those of an export of observations."""

from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import PHOTO_COLUMNS, read_dataset
from panthera_vision.parameters import PrepareParameters
from panthera_vision.sources.observations import prepare_observations
from panthera_vision.sources.own_photos import group_own_photos


def collection_table(
    source: Path, prepare: PrepareParameters, photos_root: Path, gap_minutes: float
) -> tuple[pd.DataFrame, str]:
    """Return the table of photos to index, without files, and one phrase about it.

    Args:
        source: a `photos.csv`, or a folder with observations.
        prepare: what to take from observations.
        photos_root: the folder that local photos of an export must lie in.
        gap_minutes: longest gap between two photos of an encounter (`group_encounters`).

    Raises:
        UserError: the table is missing or broken, or has no photo of a species.
    """
    if source.suffix == ".csv":
        table = read_dataset(source)
        return table.drop(columns=["split", *PHOTO_COLUMNS], errors="ignore"), f"as {source}"
    table, report = prepare_observations(
        source, prepare.allowed_species, with_specimens=prepare.specimens
    )
    encounters = group_own_photos(table, source, photos_root, gap_minutes)
    return encounters.add_to(table), report.summary()
