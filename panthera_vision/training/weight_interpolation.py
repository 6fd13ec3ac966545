"""Interpolate between the pretrained and the fine-tuned weights (WiSE-FT).

Wortsman et al., "Robust Fine-tuning of Zero-shot Models", CVPR 2022: on photos from another source
than the training's, weights between the pretrained and the fine-tuned ones are better than either,
at no cost in use.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Literal

import torch
from scipy.stats import binomtest

from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier

# Candidates for the share of the fine-tuned weights, if validation chooses it.
SHARES = (0.35, 0.5, 0.65, 0.8, 1.0)
_LEVEL = 0.05  # of the test that rejects a smaller share


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
    validate: Callable[[TrainedModel], tuple[float, torch.Tensor]],
) -> TrainedModel:
    """Return `model` with interpolated weights; its `training` tells the share and its metrics.

    Args:
        model: fine-tuned.
        start: the pretrained classifier.
        pretrained_rows: see `interpolate_weights`.
        share: of the fine-tuned weights; "auto": see `choose_share`.
        validate: returns a model's loss on the validation photos, and for each whether it is right
            (N,).
    """

    @cache
    def candidate(share: float) -> tuple[TrainedModel, float, torch.Tensor]:
        weights = interpolate_weights(start, model.classifier, share, pretrained_rows)
        interpolated = replace(model, classifier=weights)
        return interpolated, *validate(interpolated)

    if share == "auto":
        share = choose_share({share: candidate(share)[2] for share in SHARES})
    chosen, loss, hits = candidate(share)
    found = {
        "validation_loss": loss,
        "validation_accuracy": hits.float().mean().item(),
        "weight_interpolation": share,
    }
    return replace(chosen, training={**model.training, **found})


def choose_share(hits: Mapping[float, torch.Tensor]) -> float:
    """Choose the smallest share of the fine-tuned weights that is not significantly worse.

    Validation photos come from the training's source and favor large shares, photos from other
    sources small ones; so only a significant loss on validation photos speaks against a small one.

    Args:
        hits: for each share, whether each validation photo is classified correctly (N,).
    """
    best = max(hits.values(), key=lambda right: right.sum().item())
    return min(share for share, right in hits.items() if not _is_significantly_worse(right, best))


def _is_significantly_worse(hits: torch.Tensor, best: torch.Tensor) -> bool:
    """Test whether fewer photos are right than with the best weights (exact McNemar test).

    McNemar, "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 1947; one-sided.

    Args:
        hits: whether each photo is classified correctly (N,).
        best: the same with the best weights (N,).
    """
    lost = int((best & ~hits).sum())
    won = int((hits & ~best).sum())
    return lost + won > 0 and binomtest(lost, lost + won, alternative="greater").pvalue < _LEVEL
