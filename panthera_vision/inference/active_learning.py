"""Choose photos worth labeling: uncertain and unlike those chosen before (active learning)."""

import numpy as np


def uncertainty(probabilities: np.ndarray) -> np.ndarray:
    """Return 1 minus the margin between the two most probable classes (N,), 0 to 1.

    Scheffer, Decomain and Wrobel, "Active Hidden Markov Models for Information Extraction", IDA
    2001 (margin sampling).

    Args:
        probabilities: (N, classes).
    """
    ranked = np.sort(probabilities, axis=1)
    second = ranked[:, -2] if ranked.shape[1] > 1 else 0
    return np.asarray(1 - (ranked[:, -1] - second))


def novelty(ood_scores: np.ndarray) -> np.ndarray:
    """Return the rank of each OOD score among all (N,), 0 to 1."""
    order = ood_scores.argsort(kind="stable").argsort(kind="stable")
    return np.asarray(order / max(1, len(ood_scores) - 1))


def k_center_greedy(vectors: np.ndarray, weights: np.ndarray, count: int) -> list[int]:
    """Choose rows one by one, each far from those chosen before and of a high weight.

    Greedy k-center (Sener and Savarese, "Active Learning for Convolutional Neural Networks: A
    Core-Set Approach", ICLR 2018), with the distance to the nearest chosen row multiplied by the
    weight. Costs N · count comparisons.

    Args:
        vectors: L2-normalized (N, dimension).
        weights: at least 0, (N,).
        count: number of rows to choose.

    Returns:
        Up to `count` rows, the one with the highest weight first.
    """
    chosen: list[int] = []
    distances = np.ones(len(vectors))
    for _ in range(min(count, len(vectors))):
        gain = weights * distances
        gain[chosen] = -1
        row = int(gain.argmax())
        chosen.append(row)
        distances = np.minimum(distances, np.clip(1 - vectors @ vectors[row], 0, 1))
    return chosen
