"""The Milvus backend finds what exact search with FAISS finds, with filters (Milvus Lite)."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from signal import Signals

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.app_server import free_port
from panthera_vision.errors import UserError
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index.backend import BackendUnavailableError, IndexSpec, RowFilter
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.milvus_backend import MilvusBackend
from panthera_vision.search.index.milvus_syntax import FilterCodes, index_params, search_params
from panthera_vision.search.index.photo_index import PhotoIndex, load_index

from ..conftest import SPECIES
from ..made_search import filterable_table, untrained_model

needs_milvus = pytest.mark.skipif(
    not importlib.util.find_spec("milvus_lite"), reason="milvus-lite is not for this system"
)
COUNT, DIMENSION = 600, 24
FAISS, MILVUS = "faiss", "milvus"


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return untrained_model(32, fingerprint="a" * 64)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return filterable_table(COUNT)


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = unit(np.random.default_rng(2).normal(size=(COUNT, DIMENSION)))
    made[7] = made[3]  # a duplicate
    return made


@pytest.fixture(scope="module")
def indexes(
    model: TrainedModel,
    table: pd.DataFrame,
    vectors: np.ndarray,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, PhotoIndex]:
    """Index the same photos with both backends."""
    made = {}
    for backend in (FAISS, MILVUS):
        folder = tmp_path_factory.mktemp(backend) / "faiss_index"
        build_index(vectors, table, model, folder, IndexSpec(0.99, backend, "data/milvus.db"))
        made[backend] = load_index(folder)
    return made


def same_hits(indexes: dict[str, PhotoIndex], query: np.ndarray, wanted: PhotoFilter) -> int:
    """Compare the hits of both backends; return their number."""
    rows = indexes[FAISS].columns.matching_rows(wanted)
    row_filter = RowFilter(rows, wanted) if wanted.parts_in_use else None
    exact = indexes[FAISS].search(query, 10, row_filter)
    found = indexes[MILVUS].search(query, 10, row_filter)
    assert [hit.similarity for hit in found] == pytest.approx(
        [hit.similarity for hit in exact], abs=1e-5
    )
    # The duplicates are as good as each other.
    assert [hit.row if hit.row != 7 else 3 for hit in found] == [
        hit.row if hit.row != 7 else 3 for hit in exact
    ]
    assert len(found) == min(10, len(rows))
    return len(found)


filters = st.builds(
    PhotoFilter,
    species=st.lists(st.sampled_from([*SPECIES, "Felis catus"]), max_size=2).map(tuple),
    licenses=st.lists(st.sampled_from(["CC-BY", "", "CC0"]), max_size=2).map(tuple),
    observers=st.lists(st.sampled_from(["o'1\"", "o'2\"", "x"]), max_size=2).map(tuple),
    first_day=st.none() | st.dates(date(2009, 1, 1), date(2020, 1, 1)),
    last_day=st.none() | st.dates(date(2009, 1, 1), date(2020, 1, 1)),
    place=st.sampled_from(
        ["", "серенгети", '"', "%", "_", "\\", "étosha park", " ", "] or row in"]
    ),
)


@pytest.mark.slow
@needs_milvus
@given(filters, st.integers(0, 2**32 - 1))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_milvus_finds_the_photos_of_exact_search(
    indexes: dict[str, PhotoIndex], wanted: PhotoFilter, seed: int
) -> None:
    query = unit(np.random.default_rng(seed).normal(size=(1, DIMENSION)))[0]
    same_hits(indexes, query, wanted)


@needs_milvus
def test_batch_search_and_vectors_match_faiss(
    indexes: dict[str, PhotoIndex], vectors: np.ndarray
) -> None:
    backend = indexes[MILVUS].backend
    exact = indexes[FAISS].backend
    rows = np.array([5, 599, 5, 0])
    assert np.array_equal(backend.vectors_at(rows), vectors[rows])
    some = RowFilter(np.arange(0, COUNT, 7))
    for row_filter in (None, some, RowFilter(np.empty(0, dtype=np.int64))):
        for ours, theirs in zip(
            backend.search(vectors[20:320], 5, row_filter),
            exact.search(vectors[20:320], 5, row_filter),
            strict=True,
        ):
            np.testing.assert_allclose(np.maximum(ours, -1), np.maximum(theirs, -1), atol=1e-5)
    everything, _ = backend.search(vectors[:1], COUNT + 50)
    assert np.isfinite(everything[0, :COUNT]).all()
    assert not np.isfinite(everything[0, COUNT:]).any()


@needs_milvus
def test_near_duplicate_groups_match_faiss(indexes: dict[str, PhotoIndex]) -> None:
    assert np.array_equal(indexes[FAISS].groups, indexes[MILVUS].groups)
    assert indexes[MILVUS].groups[7] == indexes[MILVUS].groups[3]


@pytest.mark.slow
@needs_milvus
def test_superseded_collections_are_dropped_one_build_later(
    model: TrainedModel, table: pd.DataFrame, vectors: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "faiss_index"

    def build(count: int) -> str:
        spec = IndexSpec(0.99, MILVUS, "milvus.db")
        return build_index(vectors[:count], table[:count], model, folder, spec).collection

    def collections() -> set[str]:
        index = load_index(folder)
        assert isinstance(index.backend, MilvusBackend)
        names = set(index.backend._client.list_collections())
        index.backend.close()
        return names

    first = build(100)
    second = build(110)
    assert collections() == {first, second}
    third = build(120)
    assert collections() == {second, third}
    # The same photos again: the collection is reused, none is dropped.
    assert build(120) == third
    assert collections() == {second, third}
    index = load_index(folder)
    assert isinstance(index.backend, MilvusBackend)
    index.backend._client.drop_collection(third)
    index.backend.close()
    with pytest.raises(UserError, match=f"has no collection {third}; `dvc repro --force"):
        load_index(folder)


def test_unreachable_server_is_a_one_line_error(
    model: TrainedModel, table: pd.DataFrame, vectors: np.ndarray, tmp_path: Path
) -> None:
    pytest.importorskip("pymilvus")
    with pytest.raises(UserError, match=r"^Milvus at http://127\.0\.0\.1:9: Fail connecting"):
        spec = IndexSpec(0.99, MILVUS, "http://127.0.0.1:9")
        build_index(vectors, table, model, tmp_path / "faiss_index", spec)


@pytest.mark.slow
@needs_milvus
@pytest.mark.parametrize("signal", ["SIGKILL", "SIGSTOP"])
def test_lost_server_is_reported_within_five_seconds(
    model: TrainedModel, table: pd.DataFrame, vectors: np.ndarray, tmp_path: Path, signal: str
) -> None:
    port = free_port()
    options = ["--data-dir", str(tmp_path / "data"), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen([sys.executable, "-m", "milvus_lite", "server", *options])
    folder, spec = tmp_path / "faiss_index", IndexSpec(0.99, MILVUS, f"http://127.0.0.1:{port}")
    try:
        for _ in range(60):
            time.sleep(1)
            with suppress(UserError):
                build_index(vectors, table, model, folder, spec)
                break
        backend = load_index(folder).backend
        server.send_signal(Signals[signal])
        if signal == "SIGKILL":
            server.wait()
        requests: list[Callable[[], object]] = [
            lambda: backend.search(vectors[:1], 3),
            lambda: backend.search(vectors[:1], 3),
            lambda: backend.vectors_at(np.arange(3)),
            lambda: load_index(folder),
            lambda: build_index(vectors, table, model, folder, spec),
        ]
        for request in requests:
            start = time.monotonic()
            with pytest.raises(BackendUnavailableError, match=f"^Milvus at .*:{port}"):
                request()
            assert time.monotonic() - start < 5
    finally:
        server.kill()
        server.wait()


def test_faiss_syntax_is_translated_to_milvus() -> None:
    assert index_params("Flat") == {"index_type": "FLAT"}
    assert index_params("HNSW32")["params"]["M"] == 32
    assert index_params("IVF1024,SQ8") == {"index_type": "IVF_SQ8", "params": {"nlist": 1024}}
    assert search_params("nprobe=32") == {"nprobe": 32}
    assert search_params("efSearch=128") == {"ef": 128}
    with pytest.raises(UserError, match=r"index\.factory = 'OPQ16,IVF64,PQ16': with"):
        index_params("OPQ16,IVF64,PQ16")
    with pytest.raises(UserError, match=r"index\.search = 'k_factor=4': with"):
        search_params("k_factor=4")


@given(filters)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filter_expressions_contain_no_user_text(table: pd.DataFrame, wanted: PhotoFilter) -> None:
    left = FilterCodes(table).expression(RowFilter(np.arange(3), wanted))
    for known in ("species", "license", "observer", "place", "day", "and", "in"):
        left = left.replace(known, "")
    assert set(left) <= set("0123456789,[]<>= ")
