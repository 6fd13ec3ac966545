"""What the pages have in memory, once for all visitors; files that change are loaded anew."""

import json
from pathlib import Path

import pandas as pd
import streamlit as st

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import read_photos
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.search.index.photo_index import INDEX_FILES, PhotoIndex, load_index
from panthera_vision.ui.examples import Example, choose_examples

PIPELINE = Path(__file__).resolve().parents[3] / "cv-classification-dvc-pipeline"
MODEL = PIPELINE / "models" / "best_model.pth"
RESULTS = PIPELINE / "results"
PHOTOS = PIPELINE / "data" / "photos.csv"
SEARCH = PIPELINE.parent / "image-search-dvc-pipeline"
INDEX = SEARCH / "faiss_index"


def predictor() -> Predictor:
    """The model.

    Raises:
        UserError: there is none that can be used.
    """
    return _predictor(MODEL, _modified(MODEL))


def index_of(model: Predictor) -> PhotoIndex | None:
    """The search pipeline's index, where there is one that this model made."""
    try:
        index = _index(INDEX, *(_modified(INDEX / name) for name in INDEX_FILES))
        index.require_model(model.model)
    except UserError:
        return None
    return index


def examples() -> list[Example]:
    """Some of the pipeline's own photos; none where it has not run."""
    return _examples(PHOTOS, _modified(PHOTOS))


def photos() -> pd.DataFrame:
    """The pipeline's photos that are there.

    Raises:
        UserError: there is no usable table of them.
    """
    return _photos(PHOTOS, _modified(PHOTOS))


def sure_threshold() -> tuple[float, float, float] | None:
    """Accuracy, threshold and coverage that `evaluate` found on the test photos, if it did."""
    try:
        metrics = json.loads((RESULTS / "certainty_metrics.json").read_text(encoding="utf-8"))
        point = metrics["selective"]
        return float(point["accuracy"]), float(point["threshold"]), float(point["coverage"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@st.cache_resource(max_entries=1, show_spinner=False)
def _predictor(path: Path, modified: int) -> Predictor:
    configure_process()
    return Predictor(load_checkpoint(path))


@st.cache_resource(max_entries=1, show_spinner=False)
def _index(folder: Path, *modified: int) -> PhotoIndex:
    return load_index(folder)


@st.cache_data(max_entries=1, show_spinner=False)
def _examples(table: Path, modified: int) -> list[Example]:
    try:
        return choose_examples(read_photos(table), table.parent, photo_folders(PIPELINE))
    except UserError:
        return []


@st.cache_data(max_entries=1, show_spinner=False)
def _photos(table: Path, modified: int) -> pd.DataFrame:
    return read_photos(table, splits=True)


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
