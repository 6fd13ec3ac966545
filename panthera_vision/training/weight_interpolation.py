"""Interpolate between the pretrained and the fine-tuned weights (WiSE-FT).

Wortsman et al., "Robust Fine-tuning of Zero-shot Models", CVPR 2022: on photos from another source
than the training's, weights between the pretrained and the fine-tuned ones are better than either,
at no cost in use.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Literal

import torch

from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier

# Candidates for the share of the fine-tuned weights, if validation chooses it.
SHARES = (0.5, 0.65, 0.8, 1.0)


def interpolate_weights(
    start: Classifier, end: Classifier, share: float, pretrained_rows: Sequence[bool]
) -> Classifier:
    """Return a classifier with weights start + share · (end − start).

    Args:
        start: pretrained.
        end: fine-tuned from `start`.
        share: of the fine-tuned weights, 0 to 1.
        pretrained_rows: for each class, whether its row of `start`'s head is a pretrained one;
            other rows are random there, and those of `end` are kept.
    """
    result = copy.deepcopy(end)
    fresh = ~torch.tensor(pretrained_rows)
    with torch.no_grad():
        for name, weight in result.named_parameters():
            if name.startswith("ood_head"):
                continue
            fine_tuned = weight.detach().clone()
            weight.copy_(start.get_parameter(name).to(weight)).lerp_(fine_tuned, share)
            if name.startswith("head."):
                weight[fresh] = fine_tuned[fresh]
    return result


def interpolate_model(
    model: TrainedModel,
    start: Classifier,
    pretrained_rows: Sequence[bool],
    share: float | Literal["auto"],
    validate: Callable[[TrainedModel], tuple[float, float]],
) -> TrainedModel:
    """Return `model` with interpolated weights; its `training` tells the share and its metrics.

    Args:
        model: fine-tuned.
        start: the pretrained classifier.
        pretrained_rows: see `interpolate_weights`.
        share: of the fine-tuned weights; "auto": see `choose_share`.
        validate: returns loss and accuracy of a model on the validation photos.
    """

    @cache
    def candidate(share: float) -> tuple[TrainedModel, float, float]:
        weights = interpolate_weights(start, model.classifier, share, pretrained_rows)
        interpolated = replace(model, classifier=weights)
        return interpolated, *validate(interpolated)

    if share == "auto":
        photos = int(model.training["validation_photos"])
        share = choose_share({share: candidate(share)[2] for share in SHARES}, photos)
    chosen, loss, accuracy = candidate(share)
    found = {
        "validation_loss": loss,
        "validation_accuracy": accuracy,
        "weight_interpolation": share,
    }
    return replace(chosen, training={**model.training, **found})


def choose_share(accuracies: Mapping[float, float], photos: int) -> float:
    """Choose the share of the fine-tuned weights by the one-standard-error rule.

    The smallest share whose validation accuracy is within one standard error of the best: it loses
    nothing on photos like the validation's and gains on others (Breiman et al., "Classification
    and Regression Trees", 1984, for the rule).

    Args:
        accuracies: validation accuracy by share.
        photos: number of validation photos.
    """
    best = max(accuracies.values())
    lowest = best - standard_error(best, photos)
    return min(share for share, found in accuracies.items() if found >= lowest)


def standard_error(accuracy: float, photos: int) -> float:
    """Return the standard error of an accuracy measured on a number of photos."""
    return math.sqrt(accuracy * (1 - accuracy) / photos)
