"""Near-duplicates: every pair, at a cost that does not grow with the square, and no other."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from panthera_vision.images.decoding import open_photo
from panthera_vision.search import duplicates
from panthera_vision.search.duplicates import (
    find_near_duplicates,
    find_similar_pairs,
    group_near_duplicates,
)
from panthera_vision.search.perturbations import PERTURBATIONS, perturb

SIMILARITY = 0.725
MANY = 10**9


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
    exact = find_similar_pairs(vectors, SIMILARITY, MANY)
    similarities = vectors @ vectors.T
    assert exact.rows.tolist() == np.argwhere(np.triu(similarities >= SIMILARITY, 1)).tolist()
    assert len(exact.rows) > 100
    monkeypatch.setattr(duplicates, "COMPARED_EXACTLY", 0)
    monkeypatch.setattr(duplicates, "_LIST_LENGTH", 100)
    by_lists = find_similar_pairs(vectors, SIMILARITY, MANY)
    assert by_lists.comparisons < exact.comparisons
    found = {tuple(pair) for pair in by_lists.rows.tolist()}
    wanted = {tuple(pair) for pair in exact.rows.tolist()}
    assert found <= wanted
    assert len(found) >= 0.99 * len(wanted)


@given(seed=st.integers(0, 10**6), count=st.integers(1, 60), number=st.integers(1, 8))
def test_each_photo_is_compared_once_with_those_of_its_nearest_lists(
    seed: int, count: int, number: int
) -> None:
    random = np.random.default_rng(seed)
    probes = int(random.integers(1, number + 1))
    lists = np.argsort(random.random((count, number)), axis=1)[:, :probes]
    compared: Counter[tuple[int, int]] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_FEWEST_VISITORS", 1)
        patch.setattr(duplicates, "_MOST_TARGETS", 1)
        for home in np.unique(lists[:, 0]):
            members = np.flatnonzero(lists[:, 0] == home)
            visitors = np.flatnonzero((lists == home).any(axis=1))
            for queries, targets in duplicates._uncompared(lists, home, members, visitors):
                compared.update((q, t) for q in queries.tolist() for t in members[targets].tolist())
    wanted = {
        (min(one, other), max(one, other))
        for one in range(count)
        for other in range(count)
        if lists[other, 0] in lists[one]
    }
    assert {(min(pair), max(pair)) for pair in compared} == wanted
    assert set(compared.values()) == {1}
    both_ways = [pair for pair in compared if pair[::-1] in compared]
    assert all(lists[one, 0] == lists[other, 0] for one, other in both_ways)


def test_comparisons_grow_no_faster_than_the_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "COMPARED_EXACTLY", 0)
    monkeypatch.setattr(duplicates, "_LIST_LENGTH", 100)
    counts = (20_000, 40_000)
    few, many = (
        find_similar_pairs(collection(count, 16), 0.95, MANY).comparisons for count in counts
    )
    assert many / few <= 1.2 * counts[1] / counts[0]
    assert few < counts[0] ** 2 / 3


def test_groups_are_numbered_by_their_first_rows() -> None:
    pairs = np.array([[1, 4], [4, 6], [2, 3]])
    assert group_near_duplicates(pairs, 7).tolist() == [0, 1, 2, 2, 1, 3, 1]
    assert group_near_duplicates(np.empty((0, 2), dtype=np.int64), 3).tolist() == [0, 1, 2]


def test_of_too_many_pairs_the_most_similar_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = collection(3000)
    every = find_similar_pairs(vectors, 0.3, MANY)
    certain = int((every.similarities >= duplicates.CERTAIN_SIMILARITY).sum())
    kept = np.sort(np.argsort(-every.similarities, kind="stable")[: certain + 500])
    assert len(every.rows) > 5000
    few = find_similar_pairs(vectors, 0.3, 500)
    assert few.rows.tolist() == every.rows[kept].tolist()
    monkeypatch.setattr(duplicates, "COMPARED_EXACTLY", 0)
    monkeypatch.setattr(duplicates, "_LIST_LENGTH", 100)
    assert len(find_similar_pairs(vectors, 0.3, 500).rows) == certain + 500


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Draw eight photos of coarse noise."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(5)
    paths = []
    for number in range(8):
        noise = random.integers(0, 255, (24, 32, 3)).astype(np.uint8)
        path = folder / f"{number}.jpg"
        Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC).save(path)
        paths.append(path)
    return paths


def similar_vectors(count: int, similarity: float) -> np.ndarray:
    """Return vectors of which any two are equally similar."""
    common = np.full((count, 1), similarity**0.5)
    own = np.eye(count) * (1 - similarity) ** 0.5
    return np.concatenate([common, own], axis=1).astype(np.float32)


def test_similar_vectors_of_other_shots_are_no_near_duplicates(photos: list[Path]) -> None:
    found = find_near_duplicates(similar_vectors(8, 0.8), photos.__getitem__, 0.6)
    assert (found.similar, found.same_shot, found.unreadable) == (28, 0, 0)
    assert found.groups.tolist() == list(range(8))


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_an_altered_copy_is_a_near_duplicate(
    photos: list[Path], perturbation: str, tmp_path: Path
) -> None:
    paths = list(photos)
    for photo in photos:
        paths.append(tmp_path / photo.name)
        perturb(open_photo(photo), perturbation, photo.name).save(paths[-1], "PNG")
    found = find_near_duplicates(similar_vectors(16, 0.8), paths.__getitem__, 0.6)
    assert found.groups.tolist() == list(range(8)) * 2


def test_photos_that_cannot_be_read_are_counted_and_shown(
    photos: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    paths = [photos[0], broken, photos[0], None]
    found = find_near_duplicates(similar_vectors(4, 0.8), paths.__getitem__, 0.6)
    assert (found.similar, found.same_shot, found.unreadable) == (6, 1, 5)
    assert found.groups.tolist() == [0, 1, 0, 2]


def test_copies_are_near_duplicates_without_a_look() -> None:
    found = find_near_duplicates(similar_vectors(3, 0.96), lambda row: None, 0.6)
    assert found.groups.tolist() == [0, 0, 0]
    assert found.unreadable == 0


def test_black_frames_fit_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (320, 240)).save(tmp_path / "black.png")
    Image.new("RGB", (320, 240), (250, 250, 250)).save(tmp_path / "white.png")
    paths = [tmp_path / "black.png", tmp_path / "white.png"]
    found = find_near_duplicates(similar_vectors(2, 0.8), paths.__getitem__, 0.6)
    assert found.same_shot == 0
