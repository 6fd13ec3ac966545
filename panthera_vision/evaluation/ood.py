"""Whether photos that show none of the species are told from those that do."""

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score


def ood_detection_metrics(ours: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """How well none-of-these scores tell two sets of photos apart.

    Args:
        ours: scores (N,) of photos of the species.
        others: scores (M,) of photos of anything else; they should be higher.

    Returns:
        `auroc`: the share of pairs in the right order. `fpr_at_95_tpr`: the share of the others
        that is taken for ours where 95% of ours are kept.
    """
    truth = np.concatenate([np.zeros(len(ours)), np.ones(len(others))])
    limit = np.quantile(ours, 0.95, method="higher")
    return {
        "auroc": float(roc_auc_score(truth, np.concatenate([ours, others]))),
        "fpr_at_95_tpr": float((others <= limit).mean()),
    }


def ood_metrics(ours: np.ndarray, others: np.ndarray | None, threshold: float) -> dict[str, Any]:
    """What the checkpoint's own threshold does, and the separation where others are given.

    Args:
        ours: scores (N,) of test photos of the species.
        others: scores (M,) of photos of anything else; None where there are none to measure on.
        threshold: scores above it are answered "none of these".
    """
    metrics: dict[str, Any] = {
        "threshold": threshold,
        "id_acceptance_rate": float((ours <= threshold).mean()),
    }
    if others is not None:
        metrics |= ood_detection_metrics(ours, others)
        metrics["other_photos"] = len(others)
        metrics["ood_detection_rate"] = float((others > threshold).mean())
    return metrics
