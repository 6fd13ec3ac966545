"""Photos of one encounter give one answer, in which clear photos of the animal count most."""

import numpy as np
import pytest

from panthera_vision.models.combination import EncounterSums, combine_predictions
from panthera_vision.models.prediction import Prediction

THRESHOLD = 0.2


def photo(ood_score: float, **probabilities: float) -> Prediction:
    return Prediction(probabilities, ood_score, ood_score > THRESHOLD)


def combined(*photos: Prediction) -> Prediction:
    found = combine_predictions(photos, THRESHOLD)
    assert found is not None
    return found


def test_a_single_photo_keeps_its_prediction() -> None:
    alone = photo(0.15, leo=0.7, onca=0.2, uncia=0.1)
    found = combined(alone)
    assert found.probabilities == pytest.approx(alone.probabilities)
    assert list(found.probabilities) == ["leo", "onca", "uncia"]
    assert found.ood_score == pytest.approx(0.15)
    assert not found.is_none_of_these


def test_two_clear_photos_outvote_a_doubtful_one() -> None:
    clear = photo(0.05, leo=0.9, onca=0.1)
    doubtful = photo(0.05, leo=0.4, onca=0.6)
    assert combined(clear, doubtful, clear).species == "leo"
    assert combined(doubtful, doubtful, clear).species == "leo"


def test_photos_that_agree_make_the_answer_surer_but_not_as_sure_as_independent_ones() -> None:
    one = photo(0.05, leo=0.8, onca=0.2)
    found = combined(one, one, one, one)
    assert found.probability == pytest.approx(0.8**2 / (0.8**2 + 0.2**2), abs=0.01)


def test_empty_frames_do_not_drown_the_photo_of_the_animal() -> None:
    animal = photo(0.05, leo=0.8, onca=0.2)
    empty = photo(1.5, leo=0.1, onca=0.9)
    found = combined(empty, animal, empty, empty)
    assert found.species == "leo"
    assert found.probability == pytest.approx(0.8, abs=0.01)
    assert not found.is_none_of_these


def test_frames_that_all_show_a_stranger_are_none_of_these() -> None:
    frames = [photo(score, leo=0.6, onca=0.4) for score in (0.19, 0.3, 0.35)]
    assert not frames[0].is_none_of_these
    assert combined(*frames).is_none_of_these


def test_the_order_of_photos_does_not_matter_and_extreme_scores_do_not_overflow() -> None:
    photos = [photo(score, leo=p, onca=1 - p) for score, p in ((900, 0.1), (0.1, 0.9), (-5, 0.7))]
    first, last = combined(*photos), combined(*reversed(photos))
    assert first.probabilities == pytest.approx(last.probabilities)
    assert first.ood_score == pytest.approx(last.ood_score)
    assert np.isfinite(list(first.probabilities.values())).all()


def test_photos_without_a_prediction_are_left_out() -> None:
    unreadable = Prediction({}, float("nan"), False)
    assert combine_predictions([unreadable], THRESHOLD) is None
    assert combined(unreadable, photo(0.1, leo=1.0, onca=0.0)).species == "leo"


def test_a_photo_that_can_not_decide_and_a_model_without_threshold_are_combined() -> None:
    even = {"leo": 0.5, "onca": 0.5}
    found = combine_predictions([Prediction(even, -9.0, False)] * 2, None)
    assert found is not None and found.probabilities == pytest.approx(even)
    assert not found.is_none_of_these


def test_encounters_are_summed_side_by_side() -> None:
    sums = EncounterSums(2, 2, THRESHOLD)
    for encounter, p in ((0, 0.9), (1, 0.2), (0, 0.8)):
        sums.add(encounter, np.array([p, 1 - p]), 0.1)
    assert sums.probabilities(0)[0] > 0.8
    assert sums.probabilities(1) == pytest.approx([0.2, 0.8])
