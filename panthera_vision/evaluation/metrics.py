"""Classification metrics of held-out photos."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    classification_report,
    f1_score,
    precision_score,
    recall_score,
)


def classification_metrics(
    actual: np.ndarray, predicted: np.ndarray, class_count: int
) -> dict[str, float]:
    """The headline figures, shares of 1.

    Args:
        actual: class numbers (N,).
        predicted: class numbers (N,).
        class_count: how many classes there are; all count in the macro averages.
    """
    macro = {"labels": range(class_count), "average": "macro", "zero_division": 0.0}
    return {
        "accuracy": float(accuracy_score(actual, predicted)),
        "balanced_accuracy": float(balanced_accuracy_score(actual, predicted)),
        "macro_f1": float(f1_score(actual, predicted, **macro)),
        "weighted_f1": float(
            f1_score(
                actual,
                predicted,
                labels=range(class_count),
                average="weighted",
                zero_division=0.0,
            )
        ),
        "macro_precision": float(precision_score(actual, predicted, **macro)),
        "macro_recall": float(recall_score(actual, predicted, **macro)),
        "photos": len(actual),
    }


def headline_metrics(
    actual: np.ndarray, predicted: np.ndarray, class_count: int
) -> dict[str, float]:
    """Accuracy, balanced accuracy and macro F1, fast enough for thousands of resamples.

    As in `classification_metrics`; a class without photos does not count here.
    """
    counts = np.bincount(actual * class_count + predicted, minlength=class_count**2)
    counts = counts.reshape(class_count, class_count)
    hits, true, named = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    there = true > 0
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float((hits[there] / true[there]).mean()),
        "macro_f1": float((2 * hits[there] / (true + named)[there]).mean()),
    }


def report_by_class(actual: np.ndarray, predicted: np.ndarray, class_names: Sequence[str]) -> str:
    """Precision, recall and F1 of each class as a text table."""
    report: str = classification_report(
        actual,
        predicted,
        labels=range(len(class_names)),
        target_names=list(class_names),
        digits=3,
        zero_division=0.0,
    )
    return report
