"""Look up which photos of an index the model was trained on, in the classifier's table."""

from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import fingerprint, read_photos
from panthera_vision.models.checkpoint import TrainedModel


def splits_of(photos: pd.DataFrame, classifier_photos: Path, model: TrainedModel) -> pd.Series:
    """Return the split of each photo in the model's training, "" for photos it did not have.

    All are "unknown" if the table is missing, or is not the one that the model was trained on.

    Args:
        photos: the index's table.
        classifier_photos: the classification pipeline's `photos.csv`.
        model: made the index.

    Raises:
        UserError: the table is damaged.
    """
    unknown = pd.Series("unknown", index=photos.index, name="split")
    if not model.data_fingerprint or not classifier_photos.exists():
        return unknown
    known = read_photos(classifier_photos, splits=True)
    if fingerprint(known) != model.data_fingerprint:
        return unknown
    by_id = dict(zip(known["id"], known["split"], strict=True))
    by_sha256 = dict(zip(known["sha256"], known["split"], strict=True))
    # The same file under another id was seen as well.
    found = photos["id"].map(by_id).fillna(photos["sha256"].map(by_sha256))
    return found.fillna("").rename("split")


def held_out_rows(splits: pd.Series) -> np.ndarray:
    """Return the rows of photos that the training has not seen: of the test split, or of none."""
    return np.flatnonzero(splits.isin(["test", ""]).to_numpy())
