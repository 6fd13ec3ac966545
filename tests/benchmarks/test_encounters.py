"""The rule that benchmarks/encounters.md measures is the one that `predict --group-by` applies."""

import numpy as np
import pytest

from benchmarks.combination_rules import ANSWERS, OOD_SCORES, SOFT_MINIMUM, THIS_PROJECT, Photos
from benchmarks.encounter_sets import draw
from panthera_vision.models.combination import EncounterSums

THRESHOLD = 0.2


@pytest.fixture
def photos() -> Photos:
    random = np.random.default_rng(1)
    return Photos(random.dirichlet(np.ones(5), (7, 3)), random.gamma(1, 0.2, (7, 3)), THRESHOLD)


def test_the_measured_rule_is_the_package_s(photos: Photos) -> None:
    sums = EncounterSums(7, 5, THRESHOLD)
    for encounter in range(7):
        for probabilities, score in zip(
            photos.probabilities[encounter], photos.ood_scores[encounter], strict=True
        ):
            sums.add(encounter, probabilities, score)
    assert ANSWERS[THIS_PROJECT](photos) == pytest.approx(
        np.array([sums.probabilities(encounter) for encounter in range(7)])
    )
    assert OOD_SCORES[SOFT_MINIMUM](photos) == pytest.approx(
        np.array([sums.ood_score(encounter) for encounter in range(7)])
    )


@pytest.mark.parametrize("rule", ANSWERS)
def test_every_rule_returns_probabilities_and_agrees_with_equal_photos(
    photos: Photos, rule: str
) -> None:
    assert ANSWERS[rule](photos).sum(axis=1) == pytest.approx(np.ones(7))
    equal = Photos(photos.probabilities[:, [0, 0, 0]], photos.ood_scores[:, [0, 0, 0]], THRESHOLD)
    assert list(ANSWERS[rule](equal).argmax(axis=1)) == list(
        photos.probabilities[:, 0].argmax(axis=1)
    )


def test_random_encounters_have_distinct_photos_of_one_species() -> None:
    labels = np.repeat([0, 1], [7, 5])
    drawn = draw(np.arange(12), labels, 3, seed=1)
    assert drawn.shape == (3, 3)
    assert len(set(drawn.ravel())) == 9
    assert all(len(set(labels[encounter])) == 1 for encounter in drawn)
