import json
from pathlib import Path

import pandas as pd
import pytest

from panthera_vision.errors import UserError
from panthera_vision.ui.report.quality_figures import largest_confusion, read_quality, with_credits

METRICS = {"accuracy": 0.75, "macro_f1": 0.7, "photos": 4}
CERTAINTY = {
    "interval_95": {"accuracy": {"low": 0.5, "high": 0.9}, "macro_f1": {"low": 0.4, "high": 0.8}},
    "calibrated": {"ece": 0.1},
}
PREDICTIONS = """id,actual,predicted,probability,file
1,Panthera leo,Panthera leo,0.9,data/1.jpg
2,Panthera leo,Panthera tigris,0.6,data/2.jpg
3,Panthera tigris,Panthera tigris,0.8,data/3.jpg
4,Panthera tigris,Panthera tigris,0.95,data/4.jpg
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "evaluation_metrics.json").write_text(json.dumps(METRICS))
    (tmp_path / "certainty_metrics.json").write_text(json.dumps(CERTAINTY))
    (tmp_path / "test_predictions.csv").write_text(PREDICTIONS)
    return tmp_path


def test_an_evaluation_is_read(results: Path) -> None:
    quality = read_quality(results)
    assert quality.metrics.accuracy == 0.75
    assert quality.certainty.interval_95.accuracy.low == 0.5
    assert quality.certainty.ood is None
    assert quality.species == ["Panthera leo", "Panthera tigris"]


def test_figures_of_another_source_are_read_where_they_were_measured(results: Path) -> None:
    assert read_quality(results).other_source.photos == 0
    file = results / "other_source_metrics.json"
    file.write_text('{"photos": 0}')
    assert read_quality(results).other_source.accuracy is None
    measured = {"photos": 9, "accuracy": 0.8, "interval_95": CERTAINTY["interval_95"]}
    file.write_text(json.dumps(measured))
    assert read_quality(results).other_source.accuracy == 0.8


def test_the_matrix_has_all_pairs_and_its_cells_their_photos(results: Path) -> None:
    quality = read_quality(results)
    table = quality.count_confusions()
    assert list(table["photos"]) == [1, 1, 0, 2]
    assert list(table["share"]) == [0.5, 0.5, 0, 1]
    assert largest_confusion(table) == ("Panthera leo", "Panthera tigris")
    assert list(quality.photos_of("Panthera tigris", "Panthera tigris")["id"]) == ["4", "3"]
    assert quality.photos_of("Panthera tigris", "Panthera leo").empty


def test_without_mistakes_the_fullest_cell_is_selected(results: Path) -> None:
    lines = PREDICTIONS.replace("leo,Panthera tigris", "leo,Panthera leo")
    (results / "test_predictions.csv").write_text(lines)
    actual, predicted = largest_confusion(read_quality(results).count_confusions())
    assert actual == predicted


def test_precision_and_recall_are_computed_per_species(results: Path) -> None:
    table = read_quality(results).score_by_species().set_index("species")
    assert table["precision"]["Panthera leo"] == 1
    assert table["recall"]["Panthera leo"] == 0.5
    assert table["precision"]["Panthera tigris"] == pytest.approx(2 / 3)
    assert list(table["photos"]) == [2, 2]


def test_the_curves_follow_the_predictions(results: Path) -> None:
    quality = read_quality(results)
    bins = quality.reliability()
    assert bins["photos"].sum() == 4
    assert bins["accuracy"].iloc[0] == 0
    curve = quality.accuracy_by_coverage()
    assert list(curve["coverage"]) == [0.25, 0.5, 0.75, 1]
    assert list(curve["accuracy"]) == [1, 1, 1, 0.75]
    assert list(curve["threshold"]) == [0.95, 0.9, 0.8, 0.6]


def test_photos_of_equal_confidence_are_one_point_of_the_curve(results: Path) -> None:
    (results / "test_predictions.csv").write_text(PREDICTIONS.replace("0.9,", "0.6,"))
    curve = read_quality(results).accuracy_by_coverage()
    assert list(curve["threshold"]) == [0.95, 0.8, 0.6]
    assert list(curve["coverage"]) == [0.25, 0.5, 1]


def test_a_photo_without_a_known_author_is_not_shown(results: Path) -> None:
    cell = read_quality(results).photos_of("Panthera tigris", "Panthera tigris")
    photos = pd.DataFrame(
        {
            "id": ["4", "4"],
            "file": ["data/4.jpg", "data/4.jpg"],
            "license": ["CC0", "CC0"],
            "attribution": ["Ann, no rights reserved (CC0)"] * 2,
        }
    )
    (row,) = with_credits(cell, photos)
    assert (row["id"], row["file"], row["license"], row["observation_url"]) == (
        "4",
        "data/4.jpg",
        "CC0",
        "",
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("evaluation_metrics.json", None, "metrics.json does not exist; run `dvc repro`"),
        ("evaluation_metrics.json", "{", "evaluation_metrics.json is broken"),
        ("evaluation_metrics.json", '{"accuracy": NaN, "macro_f1": 1}', "broken: accuracy"),
        ("certainty_metrics.json", "{}", "broken: interval_95"),
        ("certainty_metrics.json", b"\xff", "certainty_metrics.json is broken"),
        ("test_predictions.csv", None, "test_predictions.csv does not exist"),
        ("test_predictions.csv", "id,actual\n", "column 'predicted'"),
        (
            "test_predictions.csv",
            PREDICTIONS.replace("0.8", "high"),
            "not from 0 to 1",
        ),
        (
            "test_predictions.csv",
            PREDICTIONS.replace("0.8", "1.8"),
            "not from 0 to 1",
        ),
        ("test_predictions.csv", PREDICTIONS.splitlines()[0], "has no photos"),
    ],
)
def test_missing_or_broken_results_are_named(
    results: Path, name: str, content: str | bytes | None, message: str
) -> None:
    path = results / name
    path.unlink()
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError, match=message):
        read_quality(results)
