"""Which labels a person should look at first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.evaluation.review_ranking import (
    LabeledFeatures,
    near_corrected,
    neighbor_probabilities,
    review_priority,
)


def photos_of(
    truth: np.ndarray, labels: np.ndarray, groups: list[str] | None = None, noise: float = 0.3
) -> LabeledFeatures:
    """Return features around one direction for each true class."""
    random = np.random.default_rng(1)
    features = np.eye(3, 16)[truth] + noise * random.normal(size=(len(truth), 16))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    return LabeledFeatures(
        features, labels, groups or [str(number) for number in range(len(truth))], 3
    )


def test_planted_wrong_labels_rank_before_all_others() -> None:
    truth = np.repeat([0, 1, 2], 60)
    labels = truth.copy()
    planted = np.arange(3, 180, 12)
    labels[planted] = (labels[planted] + 1) % 3
    photos = photos_of(truth, labels)
    priority = review_priority(photos, [neighbor_probabilities(photos)])
    first = np.argsort(-priority, kind="stable")[: len(planted)]
    assert len(set(first) & set(planted)) >= 0.9 * len(planted)
    assert (priority[planted] > 0.5).mean() > 0.9 > 0.1 > (priority[truth == labels] > 0.5).mean()


def test_photos_of_the_same_encounter_do_not_vote_for_each_other() -> None:
    truth = np.repeat([0, 1, 2], 40)
    labels = truth.copy()
    labels[:12] = 1  # a whole burst under a wrong name
    burst = ["burst"] * 12 + [str(number) for number in range(108)]
    apart, together = photos_of(truth, labels, burst), photos_of(truth, labels)
    for photos in (apart, together):
        photos.features[:12] = photos.features[0]  # frames that look the same
    assert neighbor_probabilities(apart)[:12].argmax(axis=1).tolist() == [0] * 12
    assert neighbor_probabilities(together)[:12].argmax(axis=1).tolist() == [1] * 12


def test_a_near_duplicate_of_a_corrected_photo_rises() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1])
    labels = np.array([0, 1, 0, 1, 1, 1])  # photo 1 looks like the corrected photo 0
    photos = photos_of(truth, labels, noise=0.02)
    corrected = np.arange(6) == 0
    found = near_corrected(photos, corrected)
    assert found[1] > 0.9
    assert not found[[0, 2, 3, 4, 5]].any()


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=1, max_size=8))
def test_the_priority_is_between_0_and_1_and_falls_with_the_judges_agreement(
    rows: list[list[float]],
) -> None:
    probabilities = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    labels = probabilities.argmax(axis=1)
    photos = LabeledFeatures(np.empty((len(rows), 0)), labels, [], 3)
    one, two = (review_priority(photos, [probabilities] * count) for count in (1, 2))
    assert ((one >= 0) & (one <= 0.5)).all()
    assert (two <= one + 1e-9).all()


def test_a_judge_that_abstains_changes_nothing() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    photos = LabeledFeatures(np.empty((2, 0)), np.array([0, 1]), [], 3)
    silent = np.full((2, 3), np.nan)
    expected = review_priority(photos, [probabilities])
    assert review_priority(photos, [probabilities, silent]) == pytest.approx(expected)


def test_a_sample_of_a_large_collection_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    from panthera_vision.evaluation import review_ranking

    monkeypatch.setattr(review_ranking, "_VOTERS", 50)
    truth = np.repeat([0, 1, 2], 60)
    votes = neighbor_probabilities(photos_of(truth, truth, noise=0.1))
    assert (votes.argmax(axis=1) == truth).all()


def test_a_judge_that_contradicts_most_labels_is_not_heard() -> None:
    probabilities = np.tile([0.8, 0.1, 0.1], (4, 1))
    photos = LabeledFeatures(np.empty((4, 0)), np.zeros(4, dtype=int), [], 3)
    expected = review_priority(photos, [probabilities])
    wrong = np.tile([0.0, 1.0, 0.0], (4, 1))
    assert review_priority(photos, [probabilities, wrong]) == pytest.approx(expected)
    assert (review_priority(photos, [wrong, probabilities]) > 0.5).all()
