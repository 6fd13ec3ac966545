from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.evaluation.label_errors import (
    cross_validated_probabilities,
    review_summary,
    review_thumbnails,
    suspected_labels,
)
from panthera_vision.evaluation.review_ranking import LabeledFeatures, review_priority

from ..conftest import draw_photo

NAMES = ("Panthera leo", "Panthera onca", "Panthera uncia")


def photos_of(labels: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"p{number}" for number in range(len(labels))],
            "species": [NAMES[label] for label in labels],
            "file": [f"p{number}.jpg" for number in range(len(labels))],
            "observer": "=ann",
            "observation_url": "https://example.org/1",
            "split": "train",
            "license": "",
            "attribution": "",
        }
    )


def features_of(labels: np.ndarray, seed: int = 1) -> np.ndarray:
    """Return features that separate the classes well but not perfectly."""
    features = np.eye(3, 8)[labels] * 3 + np.random.default_rng(seed).normal(size=(len(labels), 8))
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def suspected_of(table: pd.DataFrame, probabilities: np.ndarray) -> pd.DataFrame:
    """List the suspected labels with the cross-validation as the only judge."""
    labels = table["species"].map(NAMES.index).to_numpy(dtype=int)
    photos = LabeledFeatures(np.empty((len(table), 0)), labels, [], len(NAMES))
    priority = review_priority(photos, [probabilities])
    return suspected_labels(table, probabilities, NAMES, priority)


def review_of(
    features: np.ndarray, labels: np.ndarray, groups: list[str], folds: int = 5
) -> tuple[pd.DataFrame, np.ndarray]:
    probabilities = cross_validated_probabilities(
        features, labels, groups, class_count=3, folds=folds, seed=1
    )
    return suspected_of(photos_of(labels), probabilities), probabilities


def test_planted_label_errors_are_found_and_rank_first() -> None:
    truth = np.repeat([0, 1, 2], 80)
    given = truth.copy()
    planted = np.arange(5, 240, 20)
    given[planted] = (given[planted] + 1) % 3
    review, probabilities = review_of(features_of(truth), given, [str(n) for n in range(240)])
    assert np.allclose(probabilities.sum(axis=1), 1)
    suspected = {int(name[1:]) for name in review["id"]}
    assert len(suspected & set(planted)) >= 0.9 * len(planted)
    assert len(suspected) <= 2 * len(planted)
    first = review.iloc[0]
    number = int(first["id"][1:])
    assert number in planted
    assert first["given_species"] == NAMES[given[number]]
    assert first["suggested_species"] == NAMES[truth[number]]
    assert review["priority"].is_monotonic_decreasing
    assert (review["suggested_probability"] > review["label_quality"]).all()
    assert set(review["verdict"]) == {""}


def test_a_label_that_the_model_agrees_with_is_never_suspected() -> None:
    labels = np.repeat([0, 1, 2], 20)
    noise = np.random.default_rng(3).normal(size=(60, 8))
    review, probabilities = review_of(noise, labels, [str(number) for number in range(60)])
    predicted = [NAMES[number] for number in probabilities.argmax(axis=1)]
    assert not review.empty
    for row in review.itertuples():
        assert predicted[int(str(row.id)[1:])] == row.suggested_species != row.given_species


def test_cross_validation_never_splits_a_group_across_folds() -> None:
    # Only the group can be recognized in the features, not the species.
    groups = np.arange(120) // 4
    labels = np.random.default_rng(2).integers(0, 3, 30)[groups]
    features = np.eye(30)[groups]
    _, apart = review_of(features, labels, [str(group) for group in groups])
    _, leaking = review_of(features, labels, [str(number) for number in range(120)])
    assert (leaking.argmax(axis=1) == labels).mean() > 0.9
    assert (apart.argmax(axis=1) == labels).mean() < 0.6
    # Equal photos of one group are in one fold, so they get the same probabilities.
    assert np.allclose(apart.reshape(30, 4, 3), apart.reshape(30, 4, 3)[:, :1])


def test_folds_are_reduced_to_the_groups_of_the_rarest_class() -> None:
    labels = np.repeat([0, 1, 2], 12)
    groups = [f"{label}-{number % 3}" for number, label in enumerate(labels)]
    review, probabilities = review_of(features_of(labels), labels, groups, folds=10)
    assert not np.isnan(probabilities).any()
    assert len(review) < 12


def test_the_summary_names_photos_that_could_not_be_judged() -> None:
    labels = np.array([0] * 12 + [1] * 12 + [2])
    groups = [f"{label}-{number % 4}" for number, label in enumerate(labels)]
    review, probabilities = review_of(features_of(labels), labels, groups)
    assert np.isnan(probabilities[-1]).all()
    assert not np.isnan(probabilities[:-1]).any()
    assert "p24" not in set(review["id"])
    summary = review_summary(photos_of(labels), probabilities, NAMES, len(review))
    agreement = (probabilities[:-1].argmax(axis=1) == labels[:-1]).mean()
    assert (
        f"of 24 labels suspected by a model that agrees with {agreement:.0%} of them; not"
        in summary
    )
    assert summary.endswith("1 of Panthera uncia")


@pytest.mark.parametrize("labels", [[0], [0, 0], [0, 1], [0, 0, 0, 0]])
def test_a_table_too_small_to_judge_gives_an_empty_review(
    labels: list[int], tmp_path: Path
) -> None:
    numbers = np.array(labels)
    review, probabilities = review_of(features_of(numbers), numbers, [str(n) for n in labels])
    assert review.empty
    assert np.isnan(probabilities).all()
    write_table_for_people(review, tmp_path / "review.csv")
    header = (tmp_path / "review.csv").read_text(encoding="utf-8")
    assert header.startswith("id,file,given_species,suggested_species,priority,")


def test_the_review_escapes_csv_formulas_and_has_thumbnails(tmp_path: Path) -> None:
    labels = np.array([0] * 10 + [1] * 10)
    probabilities = np.eye(3)[labels] * 0.8 + 0.1
    probabilities[[3, 12]] = probabilities[[12, 3]]
    table = photos_of(labels)
    review = suspected_of(table, probabilities)
    assert review["id"].tolist() == ["p12", "p3"]
    write_table_for_people(review, tmp_path / "review.csv")
    written = pd.read_csv(tmp_path / "review.csv", keep_default_na=False)
    assert written["observer"].tolist() == ["'=ann", "'=ann"]
    paths = [tmp_path / file for file in table["file"]]
    for number, path in enumerate(paths):
        draw_photo(NAMES[labels[number]], number).save(path)
    tiles = review_thumbnails(review, table, paths)
    assert [(tile.id, tile.species, tile.predicted) for tile in tiles] == [
        ("p12", "Panthera onca", "Panthera leo"),
        ("p3", "Panthera leo", "Panthera onca"),
    ]
