"""Which photos of an index the model was trained on, as the classifier's table tells."""

from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import fingerprint, read_photos
from panthera_vision.models.checkpoint import TrainedModel

HELD_OUT = "test"


def splits_of(photos: pd.DataFrame, classifier_photos: Path, model: TrainedModel) -> pd.Series:
    """The split of each photo in the model's training, "" where it had no part in it.

    All are "unknown" where the table is missing or not that which the model was trained on, such
    as after another model was copied here: nothing can be said then of what it has seen.

    Args:
        photos: the index's table.
        classifier_photos: the classification pipeline's `photos.csv`.
        model: what embeds.

    Raises:
        UserError: the table is there and broken.
    """
    unknown = pd.Series("unknown", index=photos.index, name="split")
    if not model.data_fingerprint or not classifier_photos.exists():
        return unknown
    known = read_photos(classifier_photos, splits=True)
    if fingerprint(known) != model.data_fingerprint:
        return unknown
    by_id = dict(zip(known["id"], known["split"], strict=True))
    by_content = dict(zip(known["sha256"], known["split"], strict=True))
    # The same file under another number was seen as well.
    found = photos["id"].map(by_id).fillna(photos["sha256"].map(by_content))
    return found.fillna("").rename("split")


def held_out_rows(splits: pd.Series) -> np.ndarray:
    """The rows of photos that the training has not seen, of the test split or of no split."""
    return np.flatnonzero(splits.isin([HELD_OUT, ""]).to_numpy())
