"""Choose the photos to index: another pipeline's, or those of an iNaturalist export."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import PHOTO_COLUMNS, read_dataset
from panthera_vision.sources.inaturalist.export import prepare_observations


def collection_table(source: Path, allowed_species: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Return the table of photos to index, without files, and one phrase about it.

    Args:
        source: a `photos.csv`, or a folder with an iNaturalist export.
        allowed_species: the species to take from an export.

    Raises:
        UserError: the table is missing or broken, or has no photo of a species.
    """
    if source.suffix == ".csv":
        table = read_dataset(source)
        return table.drop(columns=["split", *PHOTO_COLUMNS], errors="ignore"), f"as {source}"
    table, report = prepare_observations(source, allowed_species)
    return table, report.summary()
