"""Cache what the pages load, for all visitors; a file that changes is loaded again."""

from pathlib import Path

import pandas as pd
import streamlit as st

from panthera_vision.data.photo_table import read_photos
from panthera_vision.errors import UserError
from panthera_vision.evaluation.result_files import CERTAINTY_FILE
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.models.pretrained import PANTHERA, pretrained_model
from panthera_vision.parameters import PrepareParameters, read_parameters
from panthera_vision.search.index.photo_index import INDEX_FILES, PhotoIndex, load_index
from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.classification.examples import Example, choose_examples
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.report.read_results import read_json_as
from panthera_vision.ui.report.result_models import Certainty, Selective


def load_predictor(paths: ClassifierPaths) -> Predictor:
    """Load the model.

    Raises:
        UserError: there is none, or it can't be used.
    """
    return _load_predictor(paths.model, _modified(paths.model))


def load_pretrained(paths: ClassifierPaths) -> Predictor:
    """Load the pretrained network, restricted to the pipeline's species.

    Raises:
        UserError: it knows none of them, or the settings can't be read.
    """
    settings = paths.settings
    if not settings.exists():
        return _load_pretrained(PANTHERA)
    prepare = read_parameters("prepare", PrepareParameters, settings)
    return _load_pretrained(prepare.allowed_species)


def find_searcher(paths: ClassifierPaths, predictor: Predictor) -> Searcher | None:
    """Load the search pipeline's index, if there is one that this model can search."""
    folder = paths.search.index
    modified = [_modified(folder / name) for name in INDEX_FILES]
    try:
        index = _load_index(folder, *modified)
        return _load_searcher(predictor.model.fingerprint, predictor, index, *modified)
    except UserError:
        return None


def find_examples(paths: ClassifierPaths) -> list[Example]:
    """Load some of the pipeline's own photos; none if it has not run."""
    return _find_examples(paths, _modified(paths.photos))


def load_photos(paths: ClassifierPaths) -> pd.DataFrame:
    """Load the table of the pipeline's photos.

    Raises:
        UserError: it is missing or broken.
    """
    return _load_photos(paths.photos, _modified(paths.photos))


def find_selective(paths: ClassifierPaths) -> Selective | None:
    """Load the threshold that reaches the target accuracy on the test photos, if it was found."""
    try:
        return read_json_as(paths.results / CERTAINTY_FILE, Certainty).selective
    except UserError:
        return None


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_predictor(path: Path, modified: int) -> Predictor:
    return Predictor(load_checkpoint(path))


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_pretrained(species: tuple[str, ...]) -> Predictor:
    return Predictor(pretrained_model(species))


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_index(folder: Path, *modified: int) -> PhotoIndex:
    return load_index(folder)


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_searcher(
    model: str, _predictor: Predictor, _index: PhotoIndex, *modified: int
) -> Searcher:
    """Load the network that the index may have, once for all visitors."""
    return Searcher(_predictor, _index)


@st.cache_data(max_entries=1, show_spinner=False)
def _find_examples(paths: ClassifierPaths, modified: int) -> list[Example]:
    try:
        return choose_examples(read_photos(paths.photos), paths)
    except UserError:
        return []


@st.cache_data(max_entries=1, show_spinner=False)
def _load_photos(path: Path, modified: int) -> pd.DataFrame:
    return read_photos(path, splits=True)


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
