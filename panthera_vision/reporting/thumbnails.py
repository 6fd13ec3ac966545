"""Make captioned thumbnails of photos for contact sheets and HTML pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from panthera_vision.images.decoding import open_photo

_SIDE = 240
_COLUMNS = ("id", "species", "observer", "license", "attribution", "observation_url")


@dataclass(frozen=True)
class Thumbnail:
    """Hold one photo of a sheet, with what the table and the model say about it.

    Attributes:
        pixels: RGB (height, width, 3), at most 240 pixels a side.
        id: the photo's id in the table.
        species: the species in the table.
        predicted: the predicted or suggested species.
        caption: a short remark, such as the confidence of the prediction.
        observer, license, attribution, observation_url: untrusted text from the table.
    """

    pixels: np.ndarray
    id: str
    species: str
    predicted: str
    caption: str
    observer: str
    license: str
    attribution: str
    observation_url: str

    @property
    def is_correct(self) -> bool:
        return self.species == self.predicted


@dataclass(frozen=True)
class Section:
    """Group thumbnails under a title; `empty` is the text to show if there are none."""

    title: str
    thumbnails: Sequence[Thumbnail]
    empty: str


def make_thumbnails(
    table: pd.DataFrame, paths: Sequence[Path], predicted: Sequence[str], captions: Sequence[str]
) -> list[Thumbnail]:
    """Make a thumbnail of each row of `table` (rows of `photos.csv`), in order.

    Raises:
        UserError: if a photo is unreadable.
    """
    return [
        Thumbnail(
            pixels=_pixels(path),
            predicted=species,
            caption=caption,
            **{str(column): row[column] for column in _COLUMNS},
        )
        for row, path, species, caption in zip(
            table.to_dict("records"), paths, predicted, captions, strict=True
        )
    ]


def _pixels(path: Path) -> np.ndarray:
    photo = open_photo(path)
    photo.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return np.asarray(photo)
