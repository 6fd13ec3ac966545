"""Compute classification metrics with scikit-learn."""

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_fscore_support,
)


def classification_metrics(
    actual: np.ndarray, predicted: np.ndarray, class_count: int
) -> dict[str, float]:
    """Compute accuracy, balanced accuracy, and macro and weighted averages.

    Args:
        actual: class numbers (N,).
        predicted: class numbers (N,).
        class_count: the number of classes; the macro averages include classes without photos.
    """
    labels = range(class_count)
    precision, recall, f1, _ = precision_recall_fscore_support(
        actual, predicted, labels=labels, average="macro", zero_division=0.0
    )
    weighted = f1_score(actual, predicted, labels=labels, average="weighted", zero_division=0.0)
    return {
        "accuracy": float(accuracy_score(actual, predicted)),
        "balanced_accuracy": float(balanced_accuracy_score(actual, predicted)),
        "macro_f1": float(f1),
        "weighted_f1": float(weighted),
        "macro_precision": float(precision),
        "macro_recall": float(recall),
        "photos": len(actual),
    }


def headline_metrics(
    actual: np.ndarray, predicted: np.ndarray, class_count: int
) -> dict[str, float]:
    """Compute accuracy, balanced accuracy and macro F1 fast enough for bootstrap resamples.

    Equal to `classification_metrics`, except that classes without photos are left out.
    """
    counts = np.bincount(actual * class_count + predicted, minlength=class_count**2)
    counts = counts.reshape(class_count, class_count)
    hits, support, named = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    present = support > 0
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float((hits[present] / support[present]).mean()),
        "macro_f1": float((2 * hits[present] / (support + named)[present]).mean()),
    }
