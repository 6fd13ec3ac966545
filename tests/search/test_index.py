from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.errors import UserError
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import empty_classifier
from panthera_vision.search.engine import Selection
from panthera_vision.search.index import build_index, load_index

from ..conftest import SPECIES

COUNT, DIMENSION = 200, 16


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    backbone = BACKBONES["efficientnet_lite0"]
    return TrainedModel(
        empty_classifier(backbone, 5),
        backbone.name,
        SPECIES,
        backbone.preprocessing(64),
        fingerprint="a" * 64,
    )


@pytest.fixture
def vectors() -> np.ndarray:
    values = np.random.default_rng(1).normal(size=(COUNT, DIMENSION)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.fixture
def folder(tmp_path: Path, vectors: np.ndarray, model: TrainedModel) -> Path:
    table = pd.DataFrame(
        {
            "id": [str(number) for number in range(COUNT)],
            "species": [SPECIES[min(number % 20, 4)] for number in range(COUNT)],
        }
    )
    build_index(vectors, table, model, tmp_path, duplicate_similarity=0.98)
    return tmp_path


def test_the_most_similar_come_first_exactly(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    for query in vectors[:5]:
        hits = index.search(query, 10)
        expected = np.argsort(-(vectors @ query))[:10]
        assert [hit.row for hit in hits] == expected.tolist()
        assert hits[0].similarity == pytest.approx(1, abs=1e-5)
        similarities = [hit.similarity for hit in hits]
        assert similarities == sorted(similarities, reverse=True)


def test_a_filter_still_gives_ten_where_ten_exist(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    rare = index.table["species"] == "Panthera leo"
    assert rare.sum() == 10
    hits = index.search(vectors[3], 10, Selection(np.flatnonzero(rare)))
    assert len(hits) == 10
    assert set(index.table["species"][[hit.row for hit in hits]]) == {"Panthera leo"}
    assert index.search(vectors[3], 10, Selection(np.array([], dtype=np.int64))) == []
    assert len(index.search(vectors[3], 500)) == COUNT


def test_a_photo_is_left_out_and_ten_others_come_back(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    with_itself = [hit.row for hit in index.search(vectors[3], 11)]
    assert with_itself[0] == 3
    assert [hit.row for hit in index.search(vectors[3], 10, without=3)] == with_itself[1:]
    assert len(index.search(vectors[3], COUNT, without=3)) == COUNT - 1


def test_many_queries_at_once_find_what_each_finds_alone(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    together = index.search_many(vectors[:30], 10)
    for query, hits in zip(vectors[:30], together, strict=True):
        assert [hit.row for hit in hits] == [hit.row for hit in index.search(query, 10)]


def test_another_model_is_refused(folder: Path, model: TrainedModel) -> None:
    index = load_index(folder)
    index.require_model(model)
    with pytest.raises(UserError, match="made by model aaaaaaaaaaaa, and this is model bbbbbbbb"):
        index.require_model(replace(model, fingerprint="b" * 64))


@pytest.mark.parametrize("name", ["vector_index.bin", "photos.csv", "index.json"])
def test_missing_or_damaged_parts_are_named(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=name):
        load_index(folder)
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"{name} is not there"):
        load_index(folder)
