"""Find label errors by confident learning: cross-validated probabilities, judged by cleanlab.

Confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021) needs out-of-sample probabilities: from a model that has not seen the
label it judges. Here a logistic regression on features of the pretrained backbone, which has seen
none of the labels, is cross-validated.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold


def cross_validated_probabilities(
    features: np.ndarray,
    labels: np.ndarray,
    groups: Sequence[str],
    *,
    class_count: int,
    folds: int,
    seed: int,
) -> np.ndarray:
    """Compute out-of-sample class probabilities by grouped, stratified cross-validation.

    The number of folds is reduced to the number of groups of the class with the fewest. A class
    with a single group cannot be judged.

    Args:
        features: (N, dimension), of length 1.
        labels: class numbers (N,).
        groups: one group per photo; a group is never split across folds.

    Returns:
        Probabilities (N, class_count). A row is NaN if the class has no photo outside the fold.
    """
    probabilities = np.full((len(labels), class_count), np.nan)
    for fitted, judged in _folds(labels, groups, folds, seed):
        known = np.unique(labels[fitted])
        judged = judged[np.isin(labels[judged], known)]
        if len(known) < 2 or not len(judged):
            continue
        # On features of length 1, C=1 regularizes enough not to follow single wrong labels.
        regression = LogisticRegression(C=1.0, max_iter=1000)
        regression.fit(features[fitted], labels[fitted])
        probabilities[judged] = 0.0
        probabilities[np.ix_(judged, known)] = regression.predict_proba(features[judged])
    return probabilities


def _folds(
    labels: np.ndarray, groups: Sequence[str], folds: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (rows to fit, rows to judge) for each fold; none if every class has one group."""
    pairs = pd.DataFrame({"label": labels, "group": list(groups)})
    groups_per_class = pairs.groupby("label")["group"].nunique()
    divisible = groups_per_class[groups_per_class >= 2]
    if divisible.empty:
        return []
    splitter = StratifiedGroupKFold(
        n_splits=min(folds, int(divisible.min())), shuffle=True, random_state=seed
    )
    with warnings.catch_warnings():
        # `review_summary` reports the classes that cannot be divided.
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(splitter.split(labels, labels, pairs["group"]))


def label_issues(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels are suspected (N,) and the quality of each label (N,)."""
    # Confident learning has no threshold for a class without judged photos, so it is left out.
    present, compact = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return np.zeros(len(labels), dtype=bool), np.ones(len(labels))
    probabilities = probabilities[:, present]
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    quality = get_label_quality_scores(compact, probabilities, method="self_confidence")
    suspected = find_label_issues(compact, probabilities, filter_by="low_self_confidence", n_jobs=1)
    return suspected & (probabilities.argmax(axis=1) != compact), quality
