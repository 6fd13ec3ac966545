"""Interpolation between the pretrained and the fine-tuned weights (WiSE-FT)."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.training.weight_interpolation import (
    SHARES,
    choose_share,
    interpolate_model,
    interpolate_weights,
)
from tests.made_search import untrained_model


@pytest.fixture(scope="module")
def start() -> TrainedModel:
    return untrained_model()


@pytest.fixture(scope="module")
def fine_tuned(start: TrainedModel) -> TrainedModel:
    classifier = copy.deepcopy(start.classifier)
    with torch.no_grad():
        for weight in (*classifier.trunk.parameters(), *classifier.head.parameters()):
            weight.add_(1.0)
    return replace(start, classifier=classifier, training={"validation_photos": 100})


def test_weights_lie_between_the_pretrained_and_the_fine_tuned_ones(
    start: TrainedModel, fine_tuned: TrainedModel
) -> None:
    first, last = start.classifier, fine_tuned.classifier
    rows = [True] * len(start.class_names)
    middle = interpolate_weights(first, last, 0.25, rows)
    for name, weight in middle.named_parameters():
        expected = first.get_parameter(name)
        if not name.startswith("ood_head"):
            expected = expected + 0.25
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)


def test_a_head_row_that_was_random_stays_as_it_was_trained(
    start: TrainedModel, fine_tuned: TrainedModel
) -> None:
    rows = [True] * len(start.class_names)
    rows[0] = False
    middle = interpolate_weights(start.classifier, fine_tuned.classifier, 0.25, rows)
    trained = fine_tuned.classifier.head
    assert torch.equal(middle.head.weight[0], trained.weight[0])
    assert torch.equal(middle.head.bias[0], trained.bias[0])
    assert not torch.equal(middle.head.weight[1], trained.weight[1])


def _right(count: int, photos: int = 100) -> torch.Tensor:
    return torch.arange(photos) < count


def test_the_smallest_share_that_is_not_significantly_worse_is_chosen() -> None:
    assert choose_share({0.5: _right(93), 0.8: _right(96), 1.0: _right(97)}) == 0.5
    assert choose_share({0.5: _right(91), 0.8: _right(95), 1.0: _right(97)}) == 0.8
    assert choose_share({0.5: _right(20), 0.8: _right(50), 1.0: _right(100)}) == 1.0
    assert choose_share({0.5: _right(90), 1.0: _right(90)}) == 0.5


def test_photos_that_differ_count_more_than_the_difference_of_accuracies() -> None:
    """Five photos fewer of five that differ are a loss; of a hundred that differ, chance."""
    assert choose_share({0.5: _right(85), 1.0: _right(90)}) == 1.0
    turned = _right(90).flip(0)
    turned[-5:] = False
    assert choose_share({0.5: turned, 1.0: _right(90)}) == 0.5


def test_the_model_says_which_share_was_chosen_and_what_it_gave(
    start: TrainedModel, fine_tuned: TrainedModel, tmp_path: Path
) -> None:
    correct = dict(zip(SHARES, (30, 90, 90, 90, 90), strict=True))
    bias = start.classifier.head.bias[0].item()

    def validate(model: TrainedModel) -> tuple[float, torch.Tensor]:
        share = round(model.classifier.head.bias[0].item() - bias, 3)
        return 1 - share, _right(correct[share])

    rows = [True] * len(start.class_names)
    model = interpolate_model(fine_tuned, start.classifier, rows, "auto", validate)
    assert model.training == {
        "validation_photos": 100,
        "validation_loss": pytest.approx(1 - SHARES[1]),
        "validation_accuracy": pytest.approx(0.9),
        "weight_interpolation": SHARES[1],
    }
    fixed = interpolate_model(fine_tuned, start.classifier, rows, 1.0, validate)
    assert torch.equal(fixed.classifier.head.weight, fine_tuned.classifier.head.weight)
