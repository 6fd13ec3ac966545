"""Fit baseline OOD scores from the literature, to compare with the checkpoint's.

Each function fits a score on the outputs on training photos; higher means more out of distribution.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.covariance import LedoitWolf
from torch import nn

from panthera_vision.models.classifier import Outputs

NEIGHBORS = 10
PRINCIPAL_DIMENSIONS = 256

Score = Callable[[Outputs], np.ndarray]


def fit_ood_scores(
    train: Outputs, labels: np.ndarray, imagenet: nn.Linear, own_rows: Sequence[int]
) -> dict[str, Score]:
    """Fit all baseline scores.

    Args:
        train: the network's outputs on its training photos, N of them.
        labels: their class numbers (N,).
        imagenet: the pretrained ImageNet head.
        own_rows: its rows that correspond to one of the network's classes.
    """
    return {
        "softmax confidence": lambda o: -o.logits.softmax(1).max(1).values.numpy(),
        "max logit": lambda o: -o.logits.max(1).values.numpy(),
        "energy (Liu et al. 2020)": lambda o: -o.logits.logsumexp(1).numpy(),
        f"{NEIGHBORS} nearest neighbors (Sun et al. 2022)": nearest_neighbors(train),
        "Mahalanobis (Lee et al. 2018)": mahalanobis(train, labels),
        "ViM (Wang et al. 2022)": virtual_logit(train),
        "odds of ImageNet's other classes": imagenet_odds(imagenet, own_rows),
        "KL matching by ImageNet's head (Hendrycks et al. 2022)": kl_matching(
            train, labels, imagenet
        ),
    }


def nearest_neighbors(train: Outputs) -> Score:
    """Fit the cosine distance to the k-th nearest training photo."""
    unit = _unit(train)

    def score(outputs: Outputs) -> np.ndarray:
        similarities = _unit(outputs) @ unit.T
        return np.asarray(-np.partition(similarities, -NEIGHBORS, axis=1)[:, -NEIGHBORS])

    return score


def mahalanobis(train: Outputs, labels: np.ndarray) -> Score:
    """Fit the Mahalanobis distance to the nearest class mean, of L2-normalized features."""
    unit = _unit(train)
    means = _class_means(unit, labels)
    covariance = LedoitWolf(assume_centered=True).fit(unit - means[labels])
    precision = covariance.precision_.astype(float)

    def score(outputs: Outputs) -> np.ndarray:
        offsets = _unit(outputs)[:, None] - means[None]
        return np.asarray(((offsets @ precision) * offsets).sum(axis=2).min(axis=1))

    return score


def virtual_logit(train: Outputs) -> Score:
    """Fit virtual-logit matching (ViM): the residual outside the principal subspace."""
    features = train.features.double().numpy()
    center = features.mean(axis=0)
    _, _, axes = np.linalg.svd(features - center, full_matrices=False)
    principal = axes[: min(PRINCIPAL_DIMENSIONS, len(axes) // 2)]

    def residual(outputs: Outputs) -> np.ndarray:
        centered = outputs.features.double().numpy() - center
        squares = (centered**2).sum(axis=1) - ((centered @ principal.T) ** 2).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(squares, 0)))

    scale = train.logits.max(1).values.double().mean().item() / residual(train).mean()
    return lambda outputs: np.asarray(
        scale * residual(outputs) - logsumexp(outputs.logits.double().numpy(), axis=1)
    )


def imagenet_odds(imagenet: nn.Linear, own_rows: Sequence[int]) -> Score:
    """Fit the log odds of ImageNet's other classes against the network's own."""
    other_rows = np.setdiff1d(np.arange(imagenet.out_features), own_rows)

    def score(outputs: Outputs) -> np.ndarray:
        others = logsumexp(_imagenet_logits(imagenet, outputs)[:, other_rows], axis=1)
        return np.asarray(others - logsumexp(outputs.logits.double().numpy(), axis=1))

    return score


def kl_matching(train: Outputs, labels: np.ndarray, imagenet: nn.Linear) -> Score:
    """Fit the KL divergence from the nearest class template of ImageNet probabilities."""
    templates = _class_means(softmax(_imagenet_logits(imagenet, train), axis=1), labels)

    def score(outputs: Outputs) -> np.ndarray:
        logs = log_softmax(_imagenet_logits(imagenet, outputs), axis=1)
        entropies = (np.exp(logs) * logs).sum(axis=1, keepdims=True)
        divergences = entropies - np.exp(logs) @ np.log(templates + 1e-12).T
        return np.asarray(divergences.min(axis=1))

    return score


def _imagenet_logits(imagenet: nn.Linear, outputs: Outputs) -> np.ndarray:
    return np.asarray(imagenet(outputs.features).detach().double().numpy())


def _class_means(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([values[labels == label].mean(axis=0) for label in np.unique(labels)])


def _unit(outputs: Outputs) -> np.ndarray:
    features = outputs.features.double().numpy()
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))
