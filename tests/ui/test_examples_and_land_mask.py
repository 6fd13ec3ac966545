"""The land of the map, and the photos to try."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.ui.examples import choose_examples
from panthera_vision.ui.report.land_mask import land

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
def test_the_map_knows_land_from_sea(latitude: float, longitude: float, is_land: bool) -> None:
    rows = land()
    hit = rows["west"].le(longitude) & rows["east"].gt(longitude)
    assert bool((hit & rows["south"].lt(latitude) & rows["north"].ge(latitude)).any()) == is_land
    assert (rows["west"] < rows["east"]).all()
    assert np.allclose(rows["north"] - rows["south"], 0.5)


def test_examples_are_test_photos_that_are_there_and_ours(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "c.jpg", "d.jpg"):
        (folder / name).touch()
    (tmp_path / "secret.jpg").touch()
    rows = [
        ("1", LION, "train", "photos/a.jpg"),
        ("2", LION, "test", "photos/gone.jpg"),
        ("3", LION, "test", "photos/c.jpg"),
        ("4", TIGER, "test", "photos/../secret.jpg"),
        ("5", TIGER, "test", "photos/d.jpg"),
    ]
    photos = pd.DataFrame(rows, columns=["id", "species", "split", "file"])
    chosen = choose_examples(photos, tmp_path, [folder])
    assert [example.id for example in chosen] == ["3", "5"]
    assert choose_examples(photos, tmp_path, [folder], per_species=5) == chosen
