"""What the pages show of an evaluation and of the data, and of places on Earth."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.apps import data_figures, quality_figures
from panthera_vision.apps.examples import choose_examples
from panthera_vision.apps.world import land
from panthera_vision.errors import UserError

LION, TIGER = "Panthera leo", "Panthera tigris"


def write_results(folder: Path) -> None:
    rows = [(LION, LION, 0.9), (LION, TIGER, 0.6), (LION, TIGER, 0.7), (TIGER, TIGER, 0.99)]
    predictions = pd.DataFrame(rows, columns=["actual", "predicted", "probability"])
    predictions.insert(0, "id", [str(number) for number in range(4)])
    predictions["none_of_these_score"] = 0.1
    predictions["file"] = "x.jpg"
    predictions.to_csv(folder / "test_predictions.csv", index=False)
    for name in ("evaluation_metrics.json", "certainty_metrics.json"):
        (folder / name).write_text("{}")


def test_an_evaluation_is_shaped_for_the_page(tmp_path: Path) -> None:
    write_results(tmp_path)
    quality = quality_figures.read_quality(tmp_path)
    table = quality_figures.confusions(quality)
    counts = {(row.actual, row.predicted): row.photos for row in table.itertuples()}
    assert counts == {(LION, LION): 1, (LION, TIGER): 2, (TIGER, LION): 0, (TIGER, TIGER): 1}
    assert table["share"].tolist() == pytest.approx([1 / 3, 2 / 3, 0, 1])
    assert quality_figures.largest_confusion(table) == (LION, TIGER)
    assert quality_figures.photos_of(quality, LION, TIGER)["id"].tolist() == ["2", "1"]
    species = quality_figures.by_species(quality).set_index("species")
    assert species.loc[TIGER, "precision"] == pytest.approx(1 / 3)
    assert species.loc[LION, "recall"] == pytest.approx(1 / 3)
    curve = quality_figures.accuracy_by_coverage(quality)
    assert curve["accuracy"].tolist() == pytest.approx([1, 1, 2 / 3, 1 / 2])
    reliability = quality_figures.reliability(quality)
    assert reliability["photos"].sum() == 4
    assert reliability["accuracy"].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("test_predictions.csv", None, "is not there"),
        ("test_predictions.csv", "id,actual\n1,x\n", "is missing"),
        ("certainty_metrics.json", "{", "is broken"),
        ("evaluation_metrics.json", None, "is not there"),
    ],
)
def test_results_that_are_missing_or_broken_are_named(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    write_results(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        quality_figures.read_quality(tmp_path)


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    report, outcomes = tmp_path / "report.json", tmp_path / "outcomes.csv"
    with pytest.raises(UserError, match="is not there"):
        data_figures.left_out(report, outcomes)
    report.write_text(json.dumps({"dropped_by_reason": {"no photo": 8}}))
    outcomes.write_text("outcome,photos\nfetched,90\nalready here,5\nHTTP 404,2\n")
    assert data_figures.left_out(report, outcomes) == {"no photo": 8, "HTTP 404": 2}


def test_only_places_on_earth_are_drawn() -> None:
    photos = pd.DataFrame(
        {"latitude": ["1.5", "", "91", "x", "-10"], "longitude": ["2", "3", "4", "5", "-180"]}
    )
    places = data_figures.located(photos)
    assert places[["latitude", "longitude"]].to_numpy().tolist() == [[1.5, 2], [-10, -180]]
    assert data_figures.located(pd.DataFrame({"id": ["1"]})).empty


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


def test_years_and_splits_are_counted() -> None:
    photos = pd.DataFrame(
        {
            "species": [LION, LION, TIGER],
            "split": ["test", "train", "train"],
            "observed_on": ["2020-01-02", "", "2020-05-06"],
        }
    )
    assert data_figures.by_year(photos).to_numpy().tolist() == [[2020, 2]]
    counts = data_figures.by_species_and_split(photos)
    assert counts["split"].tolist() == ["train", "test", "train"]


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
