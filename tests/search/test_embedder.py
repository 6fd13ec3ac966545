import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.search.embedding.cache import create_cache
from panthera_vision.search.embedding.embed_collection import (
    PhotoFiles,
    cache_key,
    draw_fitting_photos,
    embed_collection,
    fit_whitening_on_photos,
)
from panthera_vision.search.embedding.embedder import Embedder, combine_vectors, padded_dimension
from panthera_vision.search.embedding.whitening import (
    fit_whitening,
    read_whitening,
    write_whitening,
)
from panthera_vision.search.index.backend import IndexSpec
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.manifest import DamagedIndexError, ForeignIndexError
from panthera_vision.search.index.photo_index import load_index

from ..conftest import SPECIES, draw_photo
from ..made_search import untrained_model


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.manual_seed(1)
    return Predictor(untrained_model(32, fingerprint="a" * 64))


def features_of(classes: np.ndarray, seed: int, dimension: int = 24) -> np.ndarray:
    """Make features with small class and photo differences, and a large common nuisance."""
    random = np.random.default_rng(seed)
    count = len(classes)
    values = 10 + np.eye(3, dimension)[classes] * 2 + random.normal(0, 0.3, (count, dimension))
    return values + np.outer(random.normal(0, 3, count), np.linspace(-1, 1, dimension))


def test_whitening_suppresses_within_class_variance() -> None:
    classes = np.arange(6000) % 3
    features = features_of(classes, 1)
    whitening = fit_whitening(features, classes)
    photos = features_of(np.arange(60) % 3, 2)
    # The same photos in other light, say: along the nuisance.
    nuisance = np.linspace(-1, 1, photos.shape[1])
    copies = photos + np.outer(np.random.default_rng(3).normal(0, 3, 60), nuisance)

    def found(vectors: np.ndarray, queries: np.ndarray) -> float:
        return float(((queries @ vectors.T).argmax(axis=1) == np.arange(60)).mean())

    def unit(vectors: np.ndarray) -> np.ndarray:
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    assert found(whitening(photos), whitening(copies)) > 0.8
    assert found(unit(photos), unit(copies)) < 0.4
    # And the species still come first.
    similarities = whitening(photos) @ whitening(photos).T - 2 * np.eye(60)
    assert (similarities.argmax(axis=1) % 3 == np.arange(60) % 3).mean() > 0.9


@given(st.integers(2, 30), st.integers(2, 12), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_whitened_vectors_are_l2_normalized(count: int, dimension: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, dimension))
    logits = random.normal(0, 50, size=(count, 3))
    whitening = fit_whitening(features, logits.argmax(axis=1))
    vectors = combine_vectors(features, logits, whitening)
    assert vectors.shape == (count, padded_dimension(dimension + 3))
    assert vectors.shape[1] % 8 == 0
    assert not vectors[:, dimension + 3 :].any()
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    # A brighter copy of the features is the same photo.
    assert np.allclose(vectors, combine_vectors(7 * features, logits, whitening), atol=1e-4)


def test_whitening_fit_ignores_photo_order_and_class_numbers() -> None:
    classes = np.arange(90) % 3
    features = features_of(classes, 4)
    order = np.random.default_rng(5).permutation(90)
    one, two = fit_whitening(features, classes), fit_whitening(features[order], 7 - classes[order])
    assert np.allclose(one.weights, two.weights, atol=1e-3 * np.abs(one.weights).max())
    assert np.allclose(one.mean, two.mean, atol=1e-6)


def test_whitening_round_trips_and_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "whitening.npy"
    whitening = fit_whitening(features_of(np.arange(30) % 3, 1), np.arange(30) % 3)
    write_whitening(whitening, path)
    again = read_whitening(path)
    assert np.array_equal(again.weights, whitening.weights)
    assert np.array_equal(again.mean, whitening.mean)
    content = path.read_bytes()
    for broken in (
        b"",
        content[:100],
        content[:-5],
        b"\x80\x04K\x01.",
        content.replace(b"f4", b"i4"),
    ):
        path.write_bytes(broken)
        with pytest.raises(UserError, match="is damaged"):
            read_whitening(path)
    path.unlink()
    with pytest.raises(UserError, match="does not exist"):
        read_whitening(path)


def test_whitening_is_never_fitted_on_the_test_split() -> None:
    table = pd.DataFrame({"id": range(40), "split": ["train", "test", "validation", "test"] * 10})
    some = draw_fitting_photos(table, count=15, seed=1)
    assert len(some) == 15
    assert "test" not in set(some["split"])
    assert len(draw_fitting_photos(table, count=99, seed=1)) == 20
    with pytest.raises(UserError, match="no photo outside the test split"):
        draw_fitting_photos(table[table["split"] == "test"], count=5, seed=1)


def test_queries_are_whitened_like_the_index(tmp_path: Path, predictor: Predictor) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(8)]
    for number, path in enumerate(paths):
        draw_photo(SPECIES[number % 5], number).save(path)
    table = pd.DataFrame({"id": [str(n) for n in range(8)], "species": "Panthera leo"})
    files = PhotoFiles([sha256_of_file(path) for path in paths], paths)
    store = create_cache(tmp_path / "store", cache_key(predictor.model))
    fit = partial(fit_whitening_on_photos, batch_size=4, threads=1)
    none = fit(predictor, files, [""] * len(paths), store)
    # What is in the store is not put through the network again, and gives the same.
    embed_collection(predictor, files.at([2, 3, 4]), store, batch_size=4, threads=1)
    for path in paths[2:5]:
        path.rename(path.with_suffix(".away"))
    whitening = fit(predictor, files, [""] * len(paths), store)
    assert np.array_equal(whitening.weights, none.weights)
    for path in paths[2:5]:
        path.with_suffix(".away").rename(path)
    for some in (None, whitening):
        loads = [partial(open_photo, path) for path in paths]
        vectors = Embedder(predictor, some).embeddings_of(loads, batch_size=3, threads=2)
        folder = tmp_path / "index"
        build_index(vectors, table, predictor.model, folder, IndexSpec(1.0), some)
        index = load_index(folder)
        embedder = index.embedder(predictor)
        for number in (0, 5):
            vector = embedder.embedding(draw_photo(SPECIES[number % 5], number))
            (hit,) = index.search(vector, 1)
            assert hit.row == number
            assert hit.similarity == pytest.approx(1, abs=1e-4)
    assert index.manifest.embedding == "whitened-1"
    assert index.backend.dimension == 1288  # 1280 features, 5 classes, padding for SIMD


def test_index_with_damaged_whitening_or_unknown_embedding_is_rejected(
    tmp_path: Path, predictor: Predictor
) -> None:
    table = pd.DataFrame({"id": ["0", "1"], "species": "Panthera leo"})
    whitening = fit_whitening(features_of(np.arange(9) % 3, 1), np.arange(9) % 3)
    vectors = np.eye(2, 1280, dtype=np.float32)
    build_index(vectors, table, predictor.model, tmp_path, IndexSpec(1.0), whitening)
    path = tmp_path / "whitening.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-4] + b"\0\0\0\0")
    with pytest.raises(DamagedIndexError, match=r"whitening\.npy"):
        load_index(tmp_path)
    path.unlink()
    with pytest.raises(UserError, match=r"whitening\.npy does not exist"):
        load_index(tmp_path)
    path.write_bytes(content)
    load_index(tmp_path)
    manifest = json.loads((tmp_path / "index.json").read_text(encoding="utf-8"))
    manifest["embedding"] = "whitened-9"
    (tmp_path / "index.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ForeignIndexError, match="holds embeddings of kind 'whitened-9'"):
        load_index(tmp_path)
    # An index of before there were names holds the features as they are.
    path.unlink()
    del manifest["embedding"], manifest["whitening_sha256"]
    (tmp_path / "index.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert load_index(tmp_path).embedder(predictor).whitening is None
