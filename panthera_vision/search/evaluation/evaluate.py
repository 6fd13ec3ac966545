"""Evaluate the search: leave-one-out with the index's own photos, and with perturbed copies."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.evaluation.metrics import (
    Results,
    SearchFunction,
    leave_one_out,
    originals_found,
)
from panthera_vision.search.evaluation.plots import ALL, HELD_OUT, HELD_OUT_ONLY
from panthera_vision.search.evaluation.report import (
    EvaluatedPhotos,
    encounters,
    summarize_copies,
    write_retrieval_report,
)
from panthera_vision.search.evaluation.training_splits import held_out_rows
from panthera_vision.search.index.backend import RowFilter
from panthera_vision.search.index.photo_index import PhotoIndex
from panthera_vision.search.parameters import RetrievalParameters
from panthera_vision.search.perturbations import PERTURBATIONS, perturb


def evaluate_search(
    index: PhotoIndex,
    model: TrainedModel,
    splits: pd.Series,
    paths: Sequence[Path],
    parameters: RetrievalParameters,
    folder: Path,
) -> dict[str, Any]:
    """Evaluate an index, write the report to `folder` and return the metrics.

    An index mostly holds photos that its model was trained on, which lie closer to their species
    than new photos do. So the metrics of held-out photos are given separately: among all photos, as
    a user's query, and among themselves, as in a collection without training photos. They are
    omitted if the splits are unknown.

    Args:
        index, model: to evaluate.
        splits, paths: of the index's photos; the splits are from `splits_of`.
        parameters: how many photos to search with.
        folder: gets the files.

    Raises:
        ForeignIndexError: another model made the index.
        UserError: a photo cannot be read.
    """
    index.require_model(model)
    random = np.random.default_rng(parameters.seed)
    rows = np.arange(len(index.table))
    held_out = held_out_rows(splits)
    views = {ALL: results_among(index, draw_rows(rows, parameters.queries, random), rows)}
    # If the training has seen none of the photos, all of them are held out already.
    if 0 < len(held_out) < len(rows):
        queries = draw_rows(held_out, parameters.queries, random)
        views[HELD_OUT] = results_among(index, queries, rows)
        views[HELD_OUT_ONLY] = results_among(index, queries, held_out)
    originals = draw_rows(rows, parameters.perturbed_photos, random)
    found = _originals_found(index, model, [paths[row] for row in originals], originals, parameters)
    photos = EvaluatedPhotos(index.table, paths, splits, encounters(index.table))
    copies = summarize_copies(found, photos.groups_at(originals))
    return write_retrieval_report(photos, views, copies, folder)


def results_among(index: PhotoIndex, queries: np.ndarray, allowed: np.ndarray) -> Results:
    """Search with photos of the index (rows) among the `allowed` rows of other encounters."""
    return leave_one_out(
        _search_function(index, allowed),
        index.backend.vectors_at(queries),
        queries,
        index.table["species"].to_numpy(dtype=object),
        encounters(index.table),
        allowed,
    )


def _search_function(index: PhotoIndex, allowed: np.ndarray) -> SearchFunction:
    row_filter = None if len(allowed) == len(index.table) else RowFilter(allowed)
    return partial(index.backend.search, row_filter=row_filter)


def draw_rows(rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Draw at most `count` of the rows, ascending."""
    if len(rows) <= count:
        return rows
    return np.sort(random.choice(rows, count, replace=False))


def _originals_found(
    index: PhotoIndex,
    model: TrainedModel,
    files: Sequence[Path],
    originals: np.ndarray,
    parameters: RetrievalParameters,
) -> dict[str, np.ndarray]:
    """Return by perturbation whether each copy's original came first (Q,)."""
    embedder = index.embedder(Predictor(model))
    search = _search_function(index, np.arange(len(index.table)))
    found = {}
    for name in PERTURBATIONS:
        vectors = embedder.embeddings_of(
            [partial(_perturbed_file, path, name) for path in files],
            batch_size=parameters.batch_size,
            threads=parameters.num_threads,
            purpose=f"copies, {name}",
        )
        found[name] = originals_found(search, vectors, originals, list(index.table["sha256"]))
    return found


def _perturbed_file(path: Path, perturbation: str) -> Image.Image:
    return perturb(open_photo(path), perturbation, path.name)
