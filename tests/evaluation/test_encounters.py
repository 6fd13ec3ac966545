"""What several photos of one encounter gain is measured only where there are any."""

import numpy as np
import pandas as pd
import pytest

from panthera_vision.evaluation.encounters import (
    describe_encounters,
    encounter_metrics,
    find_encounters,
)

NAMES = ("Panthera leo", "Panthera onca")
SURE, WRONG, UNSURE = (0.95, 0.05), (0.05, 0.95), (0.45, 0.55)


def table(*rows: tuple[str, int, str]) -> pd.DataFrame:
    """A row per (observer, class number, observation)."""
    return pd.DataFrame(
        {
            "id": [f"p{number}" for number in range(len(rows))],
            "species": [NAMES[actual] for _, actual, _ in rows],
            "observer": [observer for observer, _, _ in rows],
            "observed_on": "2020-01-01",
            "observation_url": [url for _, _, url in rows],
        }
    )


def metrics(
    test: pd.DataFrame, probabilities: list[tuple[float, float]], scores: list[float]
) -> dict[str, object]:
    actual = test["species"].map(NAMES.index).to_numpy()
    return encounter_metrics(test, actual, np.array(probabilities), np.array(scores), 0.2)


def test_a_doubtful_and_an_empty_photo_are_outvoted_by_the_clear_one() -> None:
    test = table(("ann", 0, ""), ("ann", 0, ""), ("ann", 0, ""), ("bob", 0, ""), ("cid", 1, ""))
    found = metrics(test, [SURE, UNSURE, WRONG, SURE, WRONG], [0.1, 0.1, 2.0, 0.1, 0.1])
    assert found["encounters"] == 3
    assert found["with_several_photos"] == 1
    assert found["photos"] == 3
    assert found["accuracy_per_photo"] == pytest.approx(1 / 3)
    assert found["accuracy_per_encounter"] == 1
    assert found["gain"] == pytest.approx(2 / 3)
    assert found["refused_per_photo"] == pytest.approx(1 / 3)
    assert found["refused_per_encounter"] == 0
    assert "gain +0.667" in describe_encounters(found)


def test_photos_of_two_species_on_one_day_are_two_encounters() -> None:
    groups, how = find_encounters(table(("ann", 0, ""), ("ann", 1, ""), ("ann", 0, "")))
    assert how == "observer and day"
    assert list(groups.groupby(groups).transform("size")) == [2, 1, 2]


def test_observations_of_several_photos_are_taken_before_observers_days() -> None:
    groups, how = find_encounters(table(("ann", 0, "o/1"), ("ann", 0, "o/2"), ("bob", 0, "o/2")))
    assert how == "observation"
    assert list(groups) == ["o/1", "o/2", "o/2"]


def test_photos_of_one_day_with_hours_between_them_are_two_encounters() -> None:
    test = table(*[("ann", 0, "")] * 4)
    times = ("2020-01-01T10:00:00+03:00", "2020-01-01T07:20:00+00:00", "2020-01-01T12:00:00", "")
    groups, how = find_encounters(test.assign(taken_at=times))
    assert how == "observer and day, at most 30 minutes apart"
    assert list(groups.groupby(groups).transform("size")) == [2, 2, 1, 1]


def test_without_several_photos_no_gain_is_claimed() -> None:
    found = metrics(table(("ann", 0, "o/1"), ("bob", 1, "o/2")), [SURE, WRONG], [0.1, 0.1])
    assert "gain" not in found
    assert "not measured" in describe_encounters(found)


def test_the_interval_holds_the_gain_and_draws_whole_observer_days() -> None:
    random = np.random.default_rng(1)
    rows = [(f"{number // 6}", 0, f"o/{number // 2}") for number in range(120)]
    leo = np.clip(random.normal(0.7, 0.3, 120), 0.02, 0.98)
    found = metrics(table(*rows), [(p, 1 - p) for p in leo], [0.1] * 120)
    interval = found["gain_interval_95"]
    assert isinstance(interval, dict)
    assert interval["low"] <= found["gain"] <= interval["high"]
    assert interval["high"] - interval["low"] > 0.02
