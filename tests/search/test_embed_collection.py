from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.search.embedding.cache import create_cache
from panthera_vision.search.embedding.embed_collection import (
    EmbeddingCounts,
    PhotoFiles,
    cache_key,
    collection_vectors,
    embed_collection,
    fit_whitening_on_photos,
)
from panthera_vision.search.embedding.embedder import Embedder
from panthera_vision.search.index.backend import IndexSpec
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.photo_index import INDEX_FILES

from ..conftest import SPECIES, draw_photo
from ..made_search import untrained_model

BATCH = 4


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(untrained_model(fingerprint="a" * 64))


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.jpg" for number in range(11)]
    for number, path in enumerate(paths):
        draw_photo(SPECIES[number % 5], number).save(path)
    return paths


def files_of(paths: list[Path]) -> PhotoFiles:
    return PhotoFiles([sha256_of_file(path) for path in paths], paths)


def embed(predictor: Predictor, paths: list[Path], folder: Path) -> EmbeddingCounts:
    return embed_collection(
        predictor,
        files_of(paths),
        create_cache(folder, cache_key(predictor.model)),
        batch_size=BATCH,
        threads=1,
    )


def index(predictor: Predictor, paths: list[Path], store: Path, folder: Path) -> dict[str, bytes]:
    """Build an index and return its files by name."""
    hashes = [sha256_of_file(path) for path in paths]
    model = predictor.model
    with collection_vectors(
        create_cache(store, cache_key(model)), hashes, model, folder
    ) as vectors:
        table = pd.DataFrame({"id": [path.stem for path in paths], "species": "Panthera leo"})
        build_index(vectors, table, model, folder, IndexSpec(0.94))
    assert sorted(path.name for path in folder.iterdir()) == sorted(INDEX_FILES)
    return {name: (folder / name).read_bytes() for name in INDEX_FILES}


def test_incremental_index_equals_full_rebuild_byte_for_byte(
    predictor: Predictor, photos: list[Path], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    assert embed(predictor, photos[:7], store) == EmbeddingCounts(7, 0, 0)
    # One goes, one is another photo under the same name, four come.
    draw_photo("Panthera uncia", 99).save(photos[2])
    later = [*photos[1:4], photos[10], *photos[4:10]]
    assert embed(predictor, later, store) == EmbeddingCounts(5, 5, 2)
    assert embed(predictor, later, store) == EmbeddingCounts(0, 10, 0)
    assert embed(predictor, later, tmp_path / "rebuilt") == EmbeddingCounts(10, 0, 0)
    grown = index(predictor, later, store, tmp_path / "grown")
    assert grown == index(predictor, later, tmp_path / "rebuilt", tmp_path / "full")


def test_collection_vectors_match_query_embeddings(
    predictor: Predictor, photos: list[Path], tmp_path: Path
) -> None:
    embed(predictor, photos, tmp_path / "store")
    store = create_cache(tmp_path / "store", cache_key(predictor.model))
    files = files_of(photos)
    whitening = fit_whitening_on_photos(
        predictor, files, [""] * len(photos), store, batch_size=BATCH, threads=1
    )
    for some in (None, whitening):
        folder = tmp_path / "index"
        loads = [partial(open_photo, path) for path in photos]
        expected = Embedder(predictor, some).embeddings_of(loads, batch_size=BATCH, threads=1)
        with collection_vectors(store, files.sha256, predictor.model, folder, some) as vectors:
            assert vectors.shape == expected.shape
            assert np.abs(vectors - expected).max() < 1e-4


def test_run_stopped_by_a_changed_photo_resumes(
    predictor: Predictor, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panthera_vision.search.embedding.embed_collection.CHUNK", BATCH)
    files = files_of(photos)
    draw_photo("Panthera onca", 77).save(photos[9])
    store = create_cache(tmp_path / "store", cache_key(predictor.model))
    with pytest.raises(UserError, match=r"9\.jpg has changed since it was downloaded"):
        embed_collection(predictor, files, store, batch_size=BATCH, threads=1)
    assert embed(predictor, photos, tmp_path / "store") == EmbeddingCounts(3, 8, 0)
