"""Measure out-of-distribution (OOD) detection: AUROC, FPR@95TPR, and rates at the threshold."""

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score


def ood_detection_metrics(id_scores: np.ndarray, ood_scores: np.ndarray) -> dict[str, float]:
    """Compute AUROC and FPR@95TPR of OOD scores.

    Args:
        id_scores: OOD scores (N,) of in-distribution photos, which show one of the species.
        ood_scores: OOD scores (M,) of other photos; higher means more out of distribution.

    Returns:
        `fpr_at_95_tpr` is the fraction of other photos that is accepted at the threshold that
        accepts 95% of the in-distribution photos.
    """
    is_ood = np.concatenate([np.zeros(len(id_scores)), np.ones(len(ood_scores))])
    threshold = np.quantile(id_scores, 0.95, method="higher")
    return {
        "auroc": float(roc_auc_score(is_ood, np.concatenate([id_scores, ood_scores]))),
        "fpr_at_95_tpr": float((ood_scores <= threshold).mean()),
    }


def ood_metrics(
    id_scores: np.ndarray, ood_scores: np.ndarray | None, threshold: float
) -> dict[str, Any]:
    """Compute acceptance and detection rates at the model's own OOD threshold.

    Args:
        id_scores: OOD scores (N,) of the test photos.
        ood_scores: OOD scores (M,) of photos of anything else; None if there are none.
        threshold: scores above it mean "none of these species".
    """
    metrics: dict[str, Any] = {
        "threshold": threshold,
        "id_acceptance_rate": float((id_scores <= threshold).mean()),
    }
    if ood_scores is not None:
        metrics |= ood_detection_metrics(id_scores, ood_scores)
        metrics["other_photos"] = len(ood_scores)
        metrics["ood_detection_rate"] = float((ood_scores > threshold).mean())
    return metrics
