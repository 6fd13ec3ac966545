"""Photos with what is known and predicted about them, small enough to be shown by the dozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from panthera_vision.images.decoding import open_photo

_SIDE = 240


@dataclass(frozen=True)
class Thumbnail:
    """One photo of a sheet.

    Attributes:
        thumbnail: RGB pixels (height, width, 3), no side longer than 240.
        id: the photo's, as in the table.
        species: what the table says it shows.
        predicted: the species that a model takes it for.
        probability: of the predicted species.
        observer, license, attribution, observation_url: as in the table, written by strangers.
        remark: what is said of the photo in place of how sure the prediction is.
    """

    thumbnail: np.ndarray
    id: str
    species: str
    predicted: str
    probability: float
    observer: str
    license: str
    attribution: str
    observation_url: str
    remark: str = ""

    @property
    def said(self) -> str:
        """How sure the prediction is, or the remark in its place."""
        return self.remark or f"{self.probability:.1%} sure"

    @property
    def right(self) -> bool:
        return self.species == self.predicted


def make_thumbnails(
    table: pd.DataFrame,
    paths: Sequence[Path],
    predicted: Sequence[str],
    probabilities: Sequence[float],
    remarks: Sequence[str] | None = None,
) -> list[Thumbnail]:
    """A tile for each row of `table` (rows of `photos.csv`), in its order.

    Args:
        table: N rows.
        paths: their photos.
        predicted: the species that each is taken for.
        probabilities: of the predicted species.
        remarks: what is said of each in place of how sure the prediction is.

    Raises:
        UserError: a photo can't be read.
    """
    return [
        Thumbnail(
            thumbnail=_thumbnail(path),
            id=row["id"],
            species=row["species"],
            predicted=species,
            probability=float(probability),
            observer=row["observer"],
            license=row["license"],
            attribution=row["attribution"],
            observation_url=row["observation_url"],
            remark=remark,
        )
        for row, path, species, probability, remark in zip(
            table.to_dict("records"),
            paths,
            predicted,
            probabilities,
            remarks or [""] * len(table),
            strict=True,
        )
    ]


def _thumbnail(path: Path) -> np.ndarray:
    photo = open_photo(path)
    photo.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return np.asarray(photo)
