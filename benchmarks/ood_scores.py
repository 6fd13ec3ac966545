"""Scores that tell photos of none of the species, side by side; higher is stranger."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.covariance import LedoitWolf
from torch import nn

from panthera_vision.models.classifier import Outputs

NEIGHBOURS = 10
PRINCIPAL_DIMENSIONS = 256


def scores(
    train: Outputs, train_labels: np.ndarray, imagenet: nn.Linear, own_rows: Sequence[int]
) -> dict[str, Callable[[Outputs], np.ndarray]]:
    """Scoring functions by name, fitted on the training photos alone.

    Args:
        train: what the network gives for its training photos.
        train_labels: their class numbers.
        imagenet: ImageNet's own head.
        own_rows: its rows that are classes of ours.
    """
    features = train.features.double().numpy()
    unit = _unit(features)
    means = np.stack([unit[train_labels == c].mean(axis=0) for c in np.unique(train_labels)])
    precision = (
        LedoitWolf(assume_centered=True).fit(unit - means[train_labels]).precision_.astype(float)
    )
    centre = features.mean(axis=0)
    _, _, axes = np.linalg.svd(features - centre, full_matrices=False)
    principal = axes[: min(PRINCIPAL_DIMENSIONS, len(axes) // 2)]

    def residual(outputs: Outputs) -> np.ndarray:
        centred = outputs.features.double().numpy() - centre
        within = centred @ principal.T
        left = (centred**2).sum(axis=1) - (within**2).sum(axis=1)
        distance: np.ndarray = np.sqrt(np.maximum(left, 0))
        return distance

    scale = train.logits.max(1).values.double().mean().item() / residual(train).mean()

    def nearest(outputs: Outputs) -> np.ndarray:
        similarities = _unit(outputs.features.double().numpy()) @ unit.T
        kth: np.ndarray = np.partition(similarities, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
        return -kth

    def mahalanobis(outputs: Outputs) -> np.ndarray:
        away = _unit(outputs.features.double().numpy())[:, None] - means[None]
        distances: np.ndarray = ((away @ precision) * away).sum(axis=2)
        return np.asarray(distances.min(axis=1))

    def virtual_logit(outputs: Outputs) -> np.ndarray:
        logits = outputs.logits.double().numpy()
        return np.asarray(scale * residual(outputs) - logsumexp(logits, axis=1))

    other_rows = np.setdiff1d(np.arange(imagenet.out_features), own_rows)

    def by_imagenet(outputs: Outputs) -> np.ndarray:
        return np.asarray(imagenet(outputs.features).detach().double().numpy())

    def odds(outputs: Outputs) -> np.ndarray:
        others = logsumexp(by_imagenet(outputs)[:, other_rows], axis=1)
        return np.asarray(others - logsumexp(outputs.logits.double().numpy(), axis=1))

    known = softmax(by_imagenet(train), axis=1)
    templates = np.stack([known[train_labels == c].mean(axis=0) for c in np.unique(train_labels)])

    def matching(outputs: Outputs) -> np.ndarray:
        logarithms = log_softmax(by_imagenet(outputs), axis=1)
        entropies = (np.exp(logarithms) * logarithms).sum(axis=1, keepdims=True)
        divergences = entropies - np.exp(logarithms) @ np.log(templates + 1e-12).T
        return np.asarray(divergences.min(axis=1))

    return {
        "softmax confidence": lambda o: -o.logits.softmax(1).max(1).values.numpy(),
        "max logit": lambda o: -o.logits.max(1).values.numpy(),
        "energy (Liu et al. 2020)": lambda o: -o.logits.logsumexp(1).numpy(),
        f"{NEIGHBOURS} nearest neighbours (Sun et al. 2022)": nearest,
        "Mahalanobis (Lee et al. 2018)": mahalanobis,
        "ViM (Wang et al. 2022)": virtual_logit,
        "odds of ImageNet's other classes": odds,
        "KL matching by ImageNet's head (Hendrycks et al. 2022)": matching,
    }


def _unit(features: np.ndarray) -> np.ndarray:
    unit: np.ndarray = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit
