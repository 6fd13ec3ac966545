from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from panthera_vision.data.photo_table import fingerprint, write_table
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.evaluation.training_splits import held_out_rows, splits_of

from ..made_search import untrained_model


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "species": "Panthera leo",
            "split": ["train", "validation", "test"],
            "image_url": "",
            "file": "",
            "sha256": ["1", "2", "3"],
            "outcome": "ok",
        }
    )


@pytest.fixture(scope="module")
def model(known: pd.DataFrame) -> TrainedModel:
    return untrained_model(data_fingerprint=fingerprint(known))


def test_splits_are_found_by_id_or_file_content(
    tmp_path: Path, known: pd.DataFrame, model: TrainedModel
) -> None:
    write_table(known, tmp_path / "photos.csv")
    photos = pd.DataFrame({"id": ["c", "new", "b", "copy"], "sha256": ["3", "9", "2", "1"]})
    splits = splits_of(photos, tmp_path / "photos.csv", model)
    assert splits.tolist() == ["test", "", "validation", "train"]
    assert held_out_rows(splits).tolist() == [0, 1]


def test_splits_are_unknown_for_a_model_trained_elsewhere(
    tmp_path: Path, known: pd.DataFrame, model: TrainedModel
) -> None:
    photos = pd.DataFrame({"id": ["c"], "sha256": ["3"]})
    for path, some in (
        (tmp_path / "missing.csv", model),
        (tmp_path / "photos.csv", replace(model, data_fingerprint="other")),
        (tmp_path / "photos.csv", replace(model, data_fingerprint="")),
    ):
        write_table(known, tmp_path / "photos.csv")
        splits = splits_of(photos, path, some)
        assert splits.tolist() == ["unknown"]
        assert not len(held_out_rows(splits))
