"""The embedding fitted on photos that the search is not judged by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.models.inference import Predictor
from panthera_vision.search.provenance import HELD_OUT
from panthera_vision.search.whitening import Whitening, fit_whitening


def photos_to_fit_on(photos: pd.DataFrame, *, count: int, seed: int) -> pd.DataFrame:
    """At most `count` photos of the classifier's table, none of the test split, drawn at random.

    The photos of the collection are not used: its vectors would change with every photo that is
    added, and the index would have to be made anew.

    Raises:
        UserError: all photos are of the test split.
    """
    rows = np.flatnonzero((photos["split"] != HELD_OUT).to_numpy())
    if not len(rows):
        raise UserError("the classifier's table has no photo outside the test split to fit on")
    if len(rows) > count:
        rows = np.sort(np.random.default_rng(seed).choice(rows, count, replace=False))
    return photos.iloc[rows].reset_index(drop=True)


def fit_on_photos(
    predictor: Predictor, paths: Sequence[Path], *, batch_size: int, threads: int
) -> Whitening:
    """Fit the whitening on photo files, by the species that the model sees in each.

    Raises:
        UserError: a file can't be read as a photo.
    """
    outputs = predictor.outputs_of_files(paths, batch_size=batch_size, threads=threads)
    return fit_whitening(outputs.features.numpy(), outputs.logits.argmax(1).numpy())
