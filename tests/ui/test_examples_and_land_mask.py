"""The land of the map, and the example photos."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.ui.classification.examples import choose_examples
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.report.observation_map import load_land

LION, TIGER = "Panthera leo", "Panthera tigris"


@pytest.mark.parametrize(
    ("latitude", "longitude", "is_land"),
    [
        (55.75, 37.6, True),
        (-3.1, -60.0, True),
        (28.6, 77.2, True),
        (0, -30, False),
        (-40, 90, False),
    ],
)
def test_the_map_distinguishes_land_and_sea(
    latitude: float, longitude: float, is_land: bool
) -> None:
    land = load_land()
    hit = land["west"].le(longitude) & land["east"].gt(longitude)
    assert bool((hit & land["south"].lt(latitude) & land["north"].ge(latitude)).any()) == is_land
    assert (land["west"] < land["east"]).all()
    assert np.allclose(land["north"] - land["south"], 0.5)


def test_examples_are_existing_test_photos_inside_the_photo_folders(tmp_path: Path) -> None:
    folder = tmp_path / "data/dataset_images"
    folder.mkdir(parents=True)
    for name in ("a.jpg", "c.jpg", "d.jpg"):
        (folder / name).touch()
    (folder.parent / "secret.jpg").touch()
    rows = [
        ("1", LION, "train", "a.jpg"),
        ("2", LION, "test", "gone.jpg"),
        ("3", LION, "test", "c.jpg"),
        ("4", TIGER, "test", "../secret.jpg"),
        ("5", TIGER, "test", "d.jpg"),
    ]
    photos = pd.DataFrame(rows, columns=["id", "species", "split", "file"])
    photos["file"] = "dataset_images/" + photos["file"]
    paths = ClassifierPaths(tmp_path)
    chosen = choose_examples(photos, paths)
    assert [example.row["id"] for example in chosen] == ["3", "5"]
    assert choose_examples(photos, paths, per_species=5) == chosen
