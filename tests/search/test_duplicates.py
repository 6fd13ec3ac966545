"""Near-duplicate pairs: all of them, at a cost that does not grow with the square."""

import numpy as np
import pytest

from panthera_vision.search import duplicates
from panthera_vision.search.duplicates import find_similar_pairs, group_near_duplicates

SIMILARITY = 0.725


def collection(count: int, dimension: int = 32, copies: float = 0.02) -> np.ndarray:
    """Draw photos around a center for each 500 of them; some are mixed with another photo."""
    random = np.random.default_rng(count)
    centers = random.standard_normal((max(1, count // 500), dimension))
    vectors = centers[random.integers(len(centers), size=count)]
    vectors = _unit(vectors + 1.5 * random.standard_normal((count, dimension)))
    originals, replaced = random.permutation(count)[: 2 * int(copies * count)].reshape(2, -1)
    other = vectors[random.integers(count, size=len(originals))]
    vectors[replaced] = _unit(vectors[originals] + 0.5 * other)
    return vectors.astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_lists_find_the_pairs_that_comparing_everything_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors = collection(6000)
    exact = find_similar_pairs(vectors, SIMILARITY)
    similarities = vectors @ vectors.T
    assert exact.rows.tolist() == np.argwhere(np.triu(similarities >= SIMILARITY, 1)).tolist()
    assert len(exact.rows) > 100
    monkeypatch.setattr(duplicates, "COMPARED_EXACTLY", 0)
    monkeypatch.setattr(duplicates, "_LIST_LENGTH", 100)
    by_lists = find_similar_pairs(vectors, SIMILARITY)
    assert by_lists.comparisons < exact.comparisons
    found = {tuple(pair) for pair in by_lists.rows.tolist()}
    wanted = {tuple(pair) for pair in exact.rows.tolist()}
    assert found <= wanted
    assert len(found) >= 0.99 * len(wanted)


def test_comparisons_grow_no_faster_than_the_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "COMPARED_EXACTLY", 0)
    monkeypatch.setattr(duplicates, "_LIST_LENGTH", 100)
    counts = (20_000, 40_000)
    few, many = (find_similar_pairs(collection(count, 16), 0.95).comparisons for count in counts)
    assert many / few <= 1.2 * counts[1] / counts[0]
    assert few < counts[0] ** 2 / 3


def test_groups_are_numbered_by_their_first_rows() -> None:
    pairs = np.array([[1, 4], [4, 6], [2, 3]])
    assert group_near_duplicates(pairs, 7).tolist() == [0, 1, 2, 2, 1, 3, 1]
    assert group_near_duplicates(np.empty((0, 2), dtype=np.int64), 3).tolist() == [0, 1, 2]
