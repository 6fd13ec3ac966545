"""The embedding fitted on photos that the search is not judged by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.search.embedding.cache import EmbeddingCache
from panthera_vision.search.embedding.embed_collection import outputs_of
from panthera_vision.search.embedding.whitening import Whitening, fit_whitening
from panthera_vision.search.evaluation.training_splits import HELD_OUT


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


def fit_whitening_on_photos(
    predictor: Predictor,
    photos: Sequence[str],
    paths: Sequence[Path],
    store: EmbeddingCache,
    *,
    batch_size: int,
    threads: int,
) -> Whitening:
    """Fit the whitening on photos, by the species that the model sees in each.

    Args:
        predictor: the network.
        photos: the SHA-256 of each photo's file.
        paths: the files.
        store: what it has need not be put through the network again.
        batch_size: photos a pass; as in the store, for the same numbers.
        threads: decode ahead.

    Raises:
        UserError: a file can't be read as a photo, or is not the one that `photos` says.
    """
    features, logits = outputs_of(
        predictor, photos, paths, store, batch_size=batch_size, threads=threads
    )
    return fit_whitening(features, logits.argmax(axis=1))
