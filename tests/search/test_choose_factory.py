"""The kind of index is chosen by measured recall, and what is measured is reported."""

import weakref
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
import pytest

from panthera_vision.search.index import choose_factory as module
from panthera_vision.search.index.backend import IndexContent, IndexSpec
from panthera_vision.search.index.choose_factory import choose_factory
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.faiss_build import build_faiss_index
from panthera_vision.search.index.search_quality import RecallTest, measure_search


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    random = np.random.default_rng(2)
    centers = random.standard_normal((40, 64))
    drawn = centers[random.integers(40, size=5000)] + random.standard_normal((5000, 64))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def built(vectors: np.ndarray, factory: str, search: str = "") -> FaissBackend:
    spec = IndexSpec(1.0, factory=factory, search=search)
    return FaissBackend.build(IndexContent(vectors, pd.DataFrame()), spec, Path())


def _bytes(backend: FaissBackend) -> bytes:
    return bytes(faiss.serialize_index(backend.faiss_index).tobytes())


def test_small_collections_and_perfect_recall_get_exact_search(
    vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_factory(vectors, 0.97, "faiss")[:2] == ("Flat", "")
    monkeypatch.setattr(module, "EXACT_UP_TO", 1000)
    assert choose_factory(vectors, 1.0, "faiss")[:2] == ("Flat", "")


@pytest.mark.parametrize("recall", [0.8, 0.97, 0.995])
def test_the_chosen_index_reaches_the_recall_and_a_cheaper_one_does_not(
    vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch, recall: float
) -> None:
    monkeypatch.setattr(module, "EXACT_UP_TO", 1000)
    choice = choose_factory(vectors, recall, "faiss")
    chosen = choice[:2]
    assert chosen[0] != "Flat"
    test = RecallTest(vectors)
    rebuilt = built(vectors, *chosen)
    assert test.recall(rebuilt) >= recall
    assert choice.built is not None
    assert _bytes(choice.built) == _bytes(rebuilt)  # it need not be built twice
    tried = [(f, s) for f, searches in module._candidates(len(vectors)) for s in searches]
    for cheaper in tried[: tried.index(chosen)]:
        assert test.recall(built(vectors, *cheaper)) < recall


def test_a_rejected_index_is_freed_before_the_next_is_built(
    vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million photos fit into 4 GB once, not twice."""
    monkeypatch.setattr(module, "EXACT_UP_TO", 1000)
    earlier: list[weakref.ref[object]] = []

    def build(*arguments: object) -> tuple[object, bool]:
        assert [kept() for kept in earlier if kept() is not None] == []
        index, reconstructs = build_faiss_index(*arguments)  # type: ignore[arg-type]
        earlier.append(weakref.ref(index))
        return index, reconstructs

    monkeypatch.setattr(module, "build_faiss_index", build)
    assert choose_factory(vectors, 1.1, "faiss").factory == "Flat"  # which none reaches
    assert len(earlier) == len(module._candidates(len(vectors)))


def test_milvus_gets_an_index_that_it_supports(
    vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXACT_UP_TO", 1000)
    factory, search, _ = choose_factory(vectors, 0.9, "milvus")
    assert factory == "IVF256,SQ8"
    assert search.startswith("nprobe=")


def test_recall_is_that_of_the_neighbors_without_the_query_itself(vectors: np.ndarray) -> None:
    exact = measure_search(built(vectors, "Flat"), vectors)
    assert exact.recall_at_10 == 1
    assert 0 < exact.p50_ms <= exact.p95_ms
    narrow = built(vectors, "IVF256,Flat", "nprobe=1")
    wide = built(vectors, "IVF256,Flat", "nprobe=256")
    assert measure_search(narrow, vectors).recall_at_10 < 0.5
    assert measure_search(wide, vectors).recall_at_10 == 1
    assert measure_search(built(vectors[:1], "Flat"), vectors[:1]).queries == 0
