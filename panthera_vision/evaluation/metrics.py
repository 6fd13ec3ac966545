"""Compute classification metrics with scikit-learn."""

import numpy as np
from sklearn.metrics import accuracy_score, balanced_accuracy_score, classification_report


def classification_metrics(
    actual: np.ndarray, predicted: np.ndarray, class_count: int
) -> dict[str, float]:
    """Compute accuracy, balanced accuracy and averages over classes, with or without photos.

    Args:
        actual, predicted: class numbers (N,).
    """
    report = classification_report(
        actual, predicted, labels=range(class_count), output_dict=True, zero_division=0.0
    )
    macro = report["macro avg"]
    return {
        "accuracy": float(accuracy_score(actual, predicted)),
        "balanced_accuracy": float(balanced_accuracy_score(actual, predicted)),
        "macro_f1": float(macro["f1-score"]),
        "weighted_f1": float(report["weighted avg"]["f1-score"]),
        "macro_precision": float(macro["precision"]),
        "macro_recall": float(macro["recall"]),
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
