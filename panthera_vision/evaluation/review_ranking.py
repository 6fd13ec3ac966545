"""Rank photos for review: which labels are most probably wrong, by several judges together.

The judges are a cross-validated linear head, the pretrained ImageNet head, and the nearest
neighbors. benchmarks/review.py chose this combination on planted wrong labels, and compares it
with the order of cleanlab's label quality.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

_NEIGHBORS = 10
_PRIOR = 0.05  # votes of each class before any neighbor's
_FLOOR = 1e-3  # of a judge's probability: none may rule a class out alone
_MIN_AGREEMENT = 0.5  # share of labels that a judge must agree with
# Photos that vote: of more, a random sample, so that the cost grows with the number of photos.
_VOTERS = 20_000
_BLOCK = 1024
# Cosine similarity of pretrained features from which two photos show the same scene.
_NEAR_DUPLICATE = 0.9


@dataclass(frozen=True)
class LabeledFeatures:
    """Hold what is known of N photos.

    Attributes:
        features: L2-normalized (N, dimension), of a network that has not seen the labels.
        labels: class numbers (N,).
        groups: of each photo; photos of one group may show the same animal (N).
        class_count: number of classes.
    """

    features: np.ndarray
    labels: np.ndarray
    groups: Sequence[str]
    class_count: int


def review_priority(photos: LabeledFeatures, judges: Sequence[np.ndarray]) -> np.ndarray:
    """Return how probable it is that each label is wrong, for sorting (N,), 0 to 1.

    The judges' probabilities are pooled by their logarithms (Genest and Zidek, "Combining
    Probability Distributions", Statistical Science 1986), and the priority is that of the best
    other class minus that of the label, scaled to 0 to 1.

    Args:
        photos: N of them.
        judges: class probabilities (N, classes) each. A row of NaN abstains; so does a judge,
            other than the first, that agrees with fewer than half of the labels, as the ImageNet
            head does on drawings.
    """
    pooled = np.zeros((len(photos.labels), photos.class_count))
    for number, probabilities in enumerate(judges):
        speaks = ~np.isnan(probabilities).any(axis=1)
        agrees = probabilities[speaks].argmax(axis=1) == photos.labels[speaks]
        if number and not agrees.sum() >= _MIN_AGREEMENT * len(agrees):
            continue
        pooled[speaks] += np.log(probabilities[speaks] + _FLOOR)
    probabilities = softmax(pooled, axis=1)
    rows = np.arange(len(photos.labels))
    given = probabilities[rows, photos.labels]
    probabilities[rows, photos.labels] = -1
    return np.asarray((1 + probabilities.max(axis=1) - given) / 2)


def neighbor_probabilities(photos: LabeledFeatures, seed: int = 17) -> np.ndarray:
    """Return the share of each class among the nearest photos of other groups (N, classes).

    Votes are weighted by cosine similarity. Of more than 20,000 photos, a random sample votes.
    """
    count = len(photos.labels)
    voters = np.arange(count)
    if count > _VOTERS:
        voters = np.sort(np.random.default_rng(seed).choice(count, _VOTERS, replace=False))
    groups = np.unique(np.asarray(photos.groups, dtype=str), return_inverse=True)[1]
    features, labels = photos.features[voters], photos.labels[voters]
    votes = np.full((count, photos.class_count), _PRIOR)
    depth = min(_NEIGHBORS, len(voters))
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        similarities = photos.features[block] @ features.T
        similarities[groups[block, None] == groups[voters]] = 0  # has no vote
        nearest = np.argpartition(-similarities, depth - 1, axis=1)[:, :depth]
        weights = np.maximum(np.take_along_axis(similarities, nearest, axis=1), 0)
        for number in range(photos.class_count):
            of_class = labels[nearest] == number
            votes[block, number] += np.where(of_class, weights, 0).sum(axis=1)
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def near_corrected(photos: LabeledFeatures, corrected: np.ndarray) -> np.ndarray:
    """Return the similarity to a corrected photo that now has another label (N,); 0 without one.

    If a label was wrong, those of near-duplicates are wrong too.

    Args:
        photos: N of them.
        corrected: whether a person changed the label (N,).
    """
    found = np.zeros(len(photos.labels))
    for row in np.flatnonzero(corrected):
        similarities = photos.features @ photos.features[row]
        is_near = (similarities >= _NEAR_DUPLICATE) & (photos.labels != photos.labels[row])
        found[is_near] = np.maximum(found[is_near], similarities[is_near])
    return np.clip(found, 0, 1)
