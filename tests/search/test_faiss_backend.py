from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.errors import UserError
from panthera_vision.search.index.backend import (
    IndexContent,
    IndexSpec,
    RowFilter,
)
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.manifest import INDEX_FILE, VECTORS_FILE, IndexManifest

COUNT, DIMENSION = 4000, 32
# What each kind must find of the ten nearest, on vectors without any structure.
FACTORIES = {
    ("Flat", ""): 1.0,
    ("SQfp16", ""): 0.99,
    ("SQ8", ""): 0.95,
    ("HNSW16", "efSearch=200"): 0.95,
    ("IVF16,Flat", "nprobe=16"): 1.0,
    ("IVF16,SQ8", "nprobe=16"): 0.95,
    ("IVF16,PQ16x6", "nprobe=16"): 0.35,
    ("PCA16,IVF16,Flat", "nprobe=16"): 0.2,
    ("IVF16,PQ16x6,RFlat", "nprobe=16,k_factor_rf=10"): 0.9,
    ("PQ16x4fs", ""): 0.2,
    ("IVF16,RaBitQ,Refine(SQ8)", "nprobe=16,k_factor_rf=50"): 0.9,
}


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    values = np.random.default_rng(5).normal(size=(COUNT, DIMENSION)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def small_collections_count_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panthera_vision.search.index.faiss_backend._SCANNED_ROWS", 2000)
    monkeypatch.setattr("panthera_vision.search.index.brute_force._ROWS_PER_BLOCK", 900)


def build(vectors: np.ndarray, factory: str = "Flat", search: str = "") -> FaissBackend:
    content = IndexContent(vectors, pd.DataFrame())
    return FaissBackend.build(content, IndexSpec(1.0, factory=factory, search=search), Path())


def nearest(vectors: np.ndarray, query: np.ndarray, rows: np.ndarray, count: int) -> set[int]:
    return set(rows[np.argsort(-(vectors[rows] @ query))[:count]].tolist())


@pytest.mark.parametrize(("factory", "search"), FACTORIES)
def test_every_index_factory_searches_filters_and_reconstructs(
    vectors: np.ndarray, tmp_path: Path, factory: str, search: str
) -> None:
    build(vectors, factory, search).write(tmp_path)
    manifest = IndexManifest("", "", DIMENSION, COUNT, "", "", search=search)
    backend = FaissBackend.open(tmp_path, manifest, pd.DataFrame())
    assert (len(backend), backend.dimension) == (COUNT, DIMENSION)
    assert np.array_equal(backend.vectors_at(np.array([7, 3999])), vectors[[7, 3999]])
    everything = np.arange(COUNT)
    queries = vectors[:40]
    similarities, found = backend.search(queries, 10)
    assert (np.diff(similarities, axis=1) <= 0).all()
    right = [
        len(nearest(vectors, query, everything, 10) & set(rows.tolist()))
        for query, rows in zip(queries, found, strict=True)
    ]
    assert np.mean(right) / 10 >= FACTORIES[factory, search]
    # Few rows, and more than are compared one by one.
    for allowed in (everything[::400], everything[:3000]):
        _, found = backend.search(queries, 12, RowFilter(allowed))
        there = min(12, len(allowed))
        assert np.isin(found[:, :there], allowed).all()
        assert (found[:, there:] == -1).all()
        assert all(len(set(rows.tolist())) >= there for rows in found)
    # Ten come back also where all that is near the query is filtered out.
    for query in queries[:5]:
        far = np.sort(np.argsort(vectors @ query)[:2200])
        _, found = backend.search(query[None], 10, RowFilter(far))
        assert np.isin(found, far).all()
        assert len(set(found[0].tolist())) == 10


def test_search_fills_up_results_that_ivf_misses(
    vectors: np.ndarray,
) -> None:
    backend = build(vectors, "IVF64,Flat", "nprobe=1")
    similarities, found = backend.search(vectors[:3], 500)
    assert (found >= 0).all()
    assert similarities[0].tolist() == pytest.approx(
        np.sort(vectors @ vectors[0])[::-1][:500].tolist(), abs=1e-5
    )
    far = np.argsort(vectors @ vectors[0])[:2500]
    _, found = backend.search(vectors[:1], 500, RowFilter(np.sort(far)))
    assert set(found[0].tolist()) == nearest(vectors, vectors[0], far, 500)


def test_search_parameters_apply_to_filtered_search(vectors: np.ndarray) -> None:
    rows = np.arange(3000)
    found = {}
    for lists in (1, 64):
        backend = build(vectors, "IVF64,Flat", f"nprobe={lists}")
        _, found[lists] = backend.search(vectors[3500:3540], 5, RowFilter(rows))
    exact = [nearest(vectors, query, rows, 5) for query in vectors[3500:3540]]
    hits = {
        lists: sum(len(set(got.tolist()) & best) for got, best in zip(all_, exact, strict=True))
        for lists, all_ in found.items()
    }
    assert hits[64] == 200
    assert hits[1] < 100


@pytest.mark.parametrize("factory", ["Flat", "IVF16,SQ8", "HNSW16"])
def test_index_file_is_deterministic(vectors: np.ndarray, tmp_path: Path, factory: str) -> None:
    for name in ("once", "again"):
        build(vectors, factory).write(tmp_path / name)
    once, again = (tmp_path / name / "vector_index.bin" for name in ("once", "again"))
    assert once.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    ("factory", "search", "words"),
    [
        ("Flatt", "", "index.factory = 'Flatt': .*could not parse index string"),
        ("PQ7", "", "index.factory = 'PQ7': .*should be a multiple of the number"),
        ("IVF5000,Flat", "", r"Number of training points \(4000\) should be at least as large"),
        ("IDMap,Flat", "", "add_with_ids"),
        ("LSH", "", "index.factory = 'LSH'"),
        ("HNSW16,PQ8", "", "does not search by inner product"),
        ("Flat", "nprobe=32", "index.search = 'nprobe=32': .*could not set parameter nprobe"),
        ("IVF16,Flat", "nprobe=many", "index.search = 'nprobe=many': could not interpret"),
        ("IVF16,Flat", "nprobe=0", "index.search = 'nprobe=0': "),
    ],
)
def test_invalid_factory_or_search_is_a_one_line_error(
    vectors: np.ndarray, factory: str, search: str, words: str
) -> None:
    with pytest.raises(UserError, match=words) as problem:
        build(vectors, factory, search)
    assert "\n" not in str(problem.value)
    assert "/project/" not in str(problem.value)


def test_only_lossy_indexes_store_original_vectors(vectors: np.ndarray, tmp_path: Path) -> None:
    assert build(vectors, "SQ8").write(tmp_path / "lossy").files == (INDEX_FILE, VECTORS_FILE)
    assert (tmp_path / "lossy" / VECTORS_FILE).exists()
    assert build(vectors, "Flat").write(tmp_path / "exact").files == (INDEX_FILE,)
    assert not (tmp_path / "exact" / VECTORS_FILE).exists()
