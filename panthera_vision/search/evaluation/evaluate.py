"""An index searched with its own photos, and with altered copies of them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from panthera_vision.data.splits import observation_groups
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.parameters import RetrievalParameters
from panthera_vision.search.evaluation.metrics import (
    Results,
    SearchFunction,
    leave_one_out,
    originals_found,
)
from panthera_vision.search.evaluation.perturbations import ALTERATIONS, altered
from panthera_vision.search.evaluation.plots import ALL, HELD_OUT, HELD_OUT_ONLY
from panthera_vision.search.evaluation.report import copies_summary, write_retrieval_report
from panthera_vision.search.evaluation.training_splits import held_out_rows
from panthera_vision.search.index.backend import RowFilter
from panthera_vision.search.index.photo_index import PhotoIndex


def evaluate_search(
    index: PhotoIndex,
    model: TrainedModel,
    splits: pd.Series,
    paths: Sequence[Path],
    parameters: RetrievalParameters,
    folder: Path,
) -> dict[str, Any]:
    """Search with the index's own photos and with altered copies; write what comes of it.

    An index mostly holds photos that its model was trained on. These lie closer to their species
    than a visitor's photo would, so the figures of the photos that the training has not seen are
    given apart: among all photos, as a visitor's is, and among themselves, as in a collection
    that no training has seen. They are left out where it is not known which those are.

    Args:
        index: what is evaluated.
        model: what made it.
        splits: what the training made of each photo; see `provenance.splits_of`.
        paths: the photos' files.
        parameters: how many photos to search with.
        folder: gets the files.

    Raises:
        ForeignIndexError: the index was made by another model.
        UserError: a photo can't be read.
    """
    index.require_model(model)
    random = np.random.default_rng(parameters.seed)
    groups = encounters(index.table)
    everything = np.arange(len(index.table))
    unseen = held_out_rows(splits)
    views = {ALL: results_among(index, _some(everything, parameters.queries, random), everything)}
    # Where the training has seen nothing, the first view is of unseen photos already.
    if 0 < len(unseen) < len(everything):
        queries = _some(unseen, parameters.queries, random)
        views[HELD_OUT] = results_among(index, queries, everything)
        views[HELD_OUT_ONLY] = results_among(index, queries, unseen)
    originals = _some(everything, parameters.altered_photos, random)
    found = _copies_found(index, model, [paths[row] for row in originals], originals, parameters)
    copies = copies_summary(found, [groups[row] for row in originals])
    return write_retrieval_report(index.table, paths, splits, groups, views, copies, folder)


def results_among(index: PhotoIndex, queries: np.ndarray, allowed: np.ndarray) -> Results:
    """What photos of the index find among `allowed` rows of other encounters."""
    return leave_one_out(
        _searching(index, allowed),
        index.all_vectors()[queries],
        queries,
        index.table["species"].to_numpy(dtype=object),
        encounters(index.table),
        allowed,
    )


def encounters(table: pd.DataFrame) -> list[str]:
    """Each photo's observer and day."""
    return list(observation_groups(table, "observer_day"))


def _searching(index: PhotoIndex, allowed: np.ndarray) -> SearchFunction:
    selection = None if len(allowed) == len(index.table) else RowFilter(allowed)

    def search(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        return index.backend.search(queries, count, selection)

    return search


def _some(rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """At most `count` of the rows, drawn at random, in order."""
    if len(rows) <= count:
        return rows
    return np.sort(random.choice(rows, count, replace=False))


def _copies_found(
    index: PhotoIndex,
    model: TrainedModel,
    files: Sequence[Path],
    originals: np.ndarray,
    parameters: RetrievalParameters,
) -> dict[str, np.ndarray]:
    """By alteration, whether each copy's original came first (Q,)."""
    embedder = index.embedder(Predictor(model))
    search = _searching(index, np.arange(len(index.table)))
    contents = list(index.table["sha256"])
    found = {}
    for name in ALTERATIONS:
        vectors = embedder.embeddings_of(
            [partial(_altered_file, path, name) for path in files],
            batch_size=parameters.batch_size,
            threads=parameters.num_threads,
            purpose=f"copies, {name}",
        )
        found[name] = originals_found(search, vectors, originals, contents)
    return found


def _altered_file(path: Path, alteration: str) -> Image.Image:
    return altered(open_photo(path), alteration, path.name)
