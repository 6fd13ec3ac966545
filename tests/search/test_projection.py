from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.errors import UserError
from panthera_vision.reporting.palette import marker_styles
from panthera_vision.search.index.photo_index import Hit
from panthera_vision.search.parameters import MapParameters
from panthera_vision.search.projection import PhotoMap, plot_map, project, read_map, write_map


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Make three distant clusters of twenty vectors."""
    random = np.random.default_rng(5)
    centres = np.repeat(np.eye(3, 32), 20, axis=0)
    return (centres + 0.05 * random.normal(size=(60, 32))).astype(np.float32)


def test_tsne_keeps_clusters_together_and_is_deterministic(vectors: np.ndarray) -> None:
    places = project(vectors.__getitem__, 60, MapParameters())
    assert np.array_equal(places, project(vectors.__getitem__, 60, MapParameters()))
    assert np.abs(places).max() == pytest.approx(1)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 20 == np.arange(60) // 20).all()


@pytest.mark.parametrize("count", [1, 2, 5, 9, 10, 11])
def test_few_photos_get_a_map_too(vectors: np.ndarray, count: int) -> None:
    places = project(vectors.__getitem__, count, MapParameters())
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_photos_outside_the_sample_lie_among_their_cluster(vectors: np.ndarray) -> None:
    asked: list[int] = []

    def vectors_at(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return np.asarray(vectors[rows])

    places = project(vectors_at, 60, MapParameters(photos=30))
    assert asked[0] == 30
    centers = np.array([np.median(places[start : start + 20], axis=0) for start in (0, 20, 40)])
    distances = np.linalg.norm(places[:, None] - centers[None], axis=2)
    assert (distances.argmin(axis=1) == np.arange(60) // 20).all()


def test_query_is_placed_near_its_nearest_neighbors() -> None:
    photo_map = PhotoMap(np.array([[0.0, 0.0], [1.0, 1.0], [-1.0, 1.0]]))
    assert photo_map.position_of([Hit(1, 0.9)]).tolist() == [1, 1]
    far = photo_map.position_of([Hit(1, 0.95), Hit(0, 0.5), Hit(2, 0.4)])
    assert far == pytest.approx([1, 1], abs=1e-6)
    between = photo_map.position_of([Hit(1, 0.8), Hit(2, 0.8)])
    assert between == pytest.approx([0, 1])


def test_map_of_other_photos_or_without_numbers_is_rejected(tmp_path: Path) -> None:
    ids, file = pd.Series(["a", "b"]), tmp_path / "map.csv"
    write_map(ids, np.array([[0.1, 0.2], [0.3, -1]]), file)
    assert read_map(file, ids).positions.tolist() == [[0.1, 0.2], [0.3, -1]]
    with pytest.raises(UserError, match="was made for other photos"):
        read_map(file, pd.Series(["b", "a"]))
    for words in ("x", "nan", "inf"):
        file.write_text(f"id,x,y\na,0,{words}\nb,0,0\n")
        with pytest.raises(UserError, match="are not numbers"):
            read_map(file, ids)
    file.unlink()
    with pytest.raises(UserError, match="does not exist"):
        read_map(file, ids)


def test_map_picture_is_deterministic(tmp_path: Path) -> None:
    species = pd.Series(["Panthera leo", "Panthera onca"] * 5)
    places = np.random.default_rng(0).uniform(-1, 1, (10, 2))
    for name in ("one.png", "two.png"):
        plot_map(species, places, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_thirty_species_have_different_colors_or_shapes() -> None:
    marks = marker_styles([f"Genus species{number}" for number in range(30)])
    assert len({(mark.color, mark.shape) for mark in marks.values()}) == 30
    assert len({mark.marker for mark in list(marks.values())[:5]}) == 5
