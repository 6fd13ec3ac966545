"""A real Milvus server, standalone: the results of FAISS, and a server that dies and comes back.

`uvx` fetches the server (300 MB) for these tests alone.
"""

import threading
import time
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.milvus_server import MilvusServer, find_uvx, milvus_server
from panthera_vision.errors import UserError
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index.backend import BackendUnavailableError, IndexSpec, RowFilter
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.photo_index import PhotoIndex, load_index

from ..conftest import SPECIES
from ..made_search import filterable_table, untrained_model

COUNT, DIMENSION = 2000, 64
pymilvus = pytest.importorskip("pymilvus")
pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    if find_uvx() is None:
        pytest.skip("uvx, which fetches the server, is not installed")
    with milvus_server(tmp_path_factory.mktemp("milvus") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return untrained_model(32, fingerprint="b" * 64)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return filterable_table(COUNT)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = np.random.default_rng(2).standard_normal((COUNT, DIMENSION))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize(
    ("factory", "search"), [("Flat", ""), ("IVF16,Flat", "nprobe=16"), ("HNSW32", "efSearch=500")]
)
def test_the_server_finds_what_faiss_finds_with_any_filter(
    server: MilvusServer,
    model: TrainedModel,
    table: pd.DataFrame,
    vectors: np.ndarray,
    tmp_path: Path,
    factory: str,
    search: str,
) -> None:
    indexes: list[PhotoIndex] = []
    for backend, kind, parameters in (("faiss", "Flat", ""), ("milvus", factory, search)):
        folder = tmp_path / backend / "faiss_index"
        spec = IndexSpec(0.99, backend, server.uri, kind, parameters)
        build_index(vectors, table, model, folder, spec)
        indexes.append(load_index(folder))
    exact, milvus = indexes
    compared = 0
    parts = product(((), SPECIES[:1], SPECIES[:2]), ((), ("",)), ("", 'A "QUOTED"'), (None, 2015))
    for species, licenses, place, year in parts:
        first = date(year, 1, 1) if year else None
        where = PhotoFilter(tuple(species), licenses, (), first, None, place)
        rows = RowFilter(exact.columns.matching_rows(where), where) if where.parts_in_use else None
        for query in vectors[:3]:
            wanted = [hit.row for hit in exact.search(query, 10, rows)]
            found = [hit.row for hit in milvus.search(query, 10, rows)]
            assert len(found) == len(wanted)
            assert len(set(found) & set(wanted)) >= (len(wanted) if factory != "HNSW32" else 9)
            compared += 1
    assert compared == 72
    milvus.backend.close()


def test_a_killed_server_is_one_line_within_five_seconds_and_its_data_outlast_it(
    server: MilvusServer,
    model: TrainedModel,
    table: pd.DataFrame,
    vectors: np.ndarray,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "faiss_index"
    build_index(vectors, table, model, folder, IndexSpec(0.99, "milvus", server.uri, "Flat"))
    index = load_index(folder)
    before = [hit.row for hit in index.search(vectors[0], 10)]
    server.kill()
    for _ in range(2):
        start = time.monotonic()
        with pytest.raises(BackendUnavailableError, match=r"^Milvus at ") as caught:
            index.search(vectors[0], 10)
        assert time.monotonic() - start < 5
        assert "\n" not in str(caught.value)
    server.start()
    after = load_index(folder)
    assert [hit.row for hit in after.search(vectors[0], 10)] == before
    after.backend.close()


def test_a_server_that_dies_while_the_index_is_built_leaves_the_manifest_as_it_was(
    server: MilvusServer,
    model: TrainedModel,
    table: pd.DataFrame,
    vectors: np.ndarray,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "faiss_index"
    spec = IndexSpec(0.99, "milvus", server.uri, "Flat")
    build_index(vectors, table, model, folder, spec)
    manifest = (folder / "index.json").read_bytes()
    many = pd.concat([table] * 50, ignore_index=True)
    many["id"] = np.arange(len(many)).astype(str)
    random = np.random.default_rng(3).standard_normal((len(many), DIMENSION))
    new = np.asarray(random / np.linalg.norm(random, axis=1, keepdims=True), dtype=np.float32)
    threading.Timer(0.5, server.kill).start()
    with pytest.raises(UserError, match=r"^Milvus at ") as caught:
        build_index(new, many, model, folder, spec)
    assert "\n" not in str(caught.value)
    assert (folder / "index.json").read_bytes() == manifest
