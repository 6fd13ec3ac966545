"""Combine the photos of an encounter by rules from the literature, to compare with the project's.

Arrays have an axis of encounters (E), one of their photos (K) and one of classes (C).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

WEIGHTED = "log-probabilities, weighted by OOD score and entropy"
THIS_PROJECT = f"**this project: {WEIGHTED}, times √n**"
SOFT_MINIMUM = "**this project: soft minimum**"
_TINY = 1e-6


@dataclass(frozen=True)
class Photos:
    """Hold what a model says about the photos of encounters.

    Attributes:
        probabilities: calibrated (E, K, C).
        ood_scores: (E, K).
        threshold: of the OOD scores.
    """

    probabilities: np.ndarray
    ood_scores: np.ndarray
    threshold: float

    def of(self, encounters: np.ndarray) -> "Photos":
        """Return some of the encounters."""
        return Photos(self.probabilities[encounters], self.ood_scores[encounters], self.threshold)

    @property
    def logs(self) -> np.ndarray:
        """Return log-probabilities (E, K, C)."""
        return np.asarray(np.log(np.maximum(self.probabilities, _TINY)))

    @property
    def certainty(self) -> np.ndarray:
        """Return 1 − the entropy, as a share of the largest possible (E, K)."""
        entropy = -(self.probabilities * self.logs).sum(axis=2)
        return np.asarray(np.maximum(1 - entropy / np.log(self.probabilities.shape[2]), _TINY))

    @property
    def likeness(self) -> np.ndarray:
        """Return exp(−OOD score / threshold), largest 1 in an encounter (E, K)."""
        scores = self.ood_scores - self.ood_scores.min(axis=1, keepdims=True)
        return np.asarray(np.exp(-scores / self.threshold))

    @property
    def accepted(self) -> np.ndarray:
        """Return 1 for photos up to the threshold, and for all of an encounter without any."""
        accepted = self.ood_scores <= self.threshold
        return np.where(accepted.any(axis=1, keepdims=True), accepted, True).astype(float)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean over photos; `values` may have an axis of classes."""
    weights = weights / weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("ek...,ek->e...", values, weights))


def _pool(photos: Photos, weights: np.ndarray) -> np.ndarray:
    return np.asarray(softmax(_mean(photos.logs, weights), axis=1))


def _sharpened_pool(photos: Photos, weights: np.ndarray, exponent: float) -> np.ndarray:
    """Return `_pool` with logarithms times a power of the effective number of photos."""
    photos_in_effect = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
    factors = photos_in_effect[:, None] ** exponent
    return np.asarray(softmax(_mean(photos.logs, weights) * factors, axis=1))


def _photo(photos: Photos, chosen: np.ndarray) -> np.ndarray:
    return np.asarray(photos.probabilities[np.arange(len(chosen)), chosen])


def _vote(photos: Photos) -> np.ndarray:
    classes = photos.probabilities.shape[2]
    votes = np.eye(classes)[photos.probabilities.argmax(axis=2)].mean(axis=1)
    # The mean probability decides between equal numbers of votes.
    mixed = votes + 1e-3 * photos.probabilities.mean(axis=1)
    return np.asarray(mixed / mixed.sum(axis=1, keepdims=True))


def _even(photos: Photos) -> np.ndarray:
    return np.ones_like(photos.ood_scores)


# Name → rule, which returns the probabilities (E, C) of encounters.
ANSWERS: dict[str, Callable[[Photos], np.ndarray]] = {
    "majority vote": _vote,
    "mean of probabilities": lambda p: _mean(p.probabilities, _even(p)),
    "mean of log-probabilities (equal to: of logits)": lambda p: _pool(p, _even(p)),
    "most confident photo": lambda p: _photo(p, p.probabilities.max(axis=2).argmax(axis=1)),
    "photo with the lowest OOD score": lambda p: _photo(p, p.ood_scores.argmin(axis=1)),
    "probabilities, weighted by entropy": lambda p: _mean(p.probabilities, p.certainty),
    "log-probabilities, weighted by entropy": lambda p: _pool(p, p.certainty),
    "log-probabilities, weighted by OOD score": lambda p: _pool(p, p.likeness),
    "probabilities of the accepted photos": lambda p: _mean(p.probabilities, p.accepted),
    "log-probabilities of the accepted photos": lambda p: _pool(p, p.accepted),
    "sum of log-probabilities of the accepted photos": lambda p: softmax(
        (p.logs * p.accepted[..., None]).sum(axis=1), axis=1
    ),
    "log-probabilities of the accepted photos, weighted by entropy": lambda p: _pool(
        p, p.accepted * p.certainty
    ),
    WEIGHTED: lambda p: _pool(p, p.likeness * p.certainty),
    f"{WEIGHTED}, times n": lambda p: _sharpened_pool(p, p.likeness * p.certainty, 1.0),
    THIS_PROJECT: lambda p: _sharpened_pool(p, p.likeness * p.certainty, 0.5),
}
# Name → rule, which returns the OOD scores (E,) of encounters.
OOD_SCORES: dict[str, Callable[[Photos], np.ndarray]] = {
    "one photo, the first": lambda p: p.ood_scores[:, 0],
    "minimum: none of these if all photos are": lambda p: p.ood_scores.min(axis=1),
    "median: none of these if most photos are": lambda p: np.median(p.ood_scores, axis=1),
    "mean": lambda p: p.ood_scores.mean(axis=1),
    "maximum: none of these if any photo is": lambda p: p.ood_scores.max(axis=1),
    "soft minimum, half as sharp": lambda p: _mean(p.ood_scores, p.likeness**0.5),
    SOFT_MINIMUM: lambda p: _mean(p.ood_scores, p.likeness),
    "soft minimum, twice as sharp": lambda p: _mean(p.ood_scores, p.likeness**2),
}
