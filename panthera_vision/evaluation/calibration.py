"""Measure probability calibration (ECE, NLL, Brier score) and selective prediction."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import brier_score_loss

BINS = 15


@dataclass(frozen=True)
class ReliabilityBins:
    """Hold a reliability diagram: photos in `BINS` equal confidence intervals of (0, 1].

    Attributes:
        photos: the number of photos in each bin (BINS,).
        confidence: their mean confidence (BINS,); NaN in an empty bin.
        accuracy: their accuracy (BINS,); NaN in an empty bin.
    """

    photos: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def ece(self) -> float:
        """Return the expected calibration error: the mean |confidence - accuracy| over photos.

        Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
        """
        gaps = np.nan_to_num(np.abs(self.confidence - self.accuracy))
        return float((gaps * self.photos).sum() / self.photos.sum())


def reliability_bins(confidence: np.ndarray, correct: np.ndarray) -> ReliabilityBins:
    """Bin photos by the probability of the predicted class (N,); `correct` (N,) is boolean."""
    numbers = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    photos = np.bincount(numbers, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return ReliabilityBins(
            photos,
            np.bincount(numbers, confidence, BINS) / photos,
            np.bincount(numbers, correct, BINS) / photos,
        )


def calibration_metrics(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Compute ECE, mean negative log-likelihood (nats) and the multi-class Brier score (0 to 2).

    Args:
        probabilities: (N, classes).
        labels: class numbers (N,).
    """
    correct = probabilities.argmax(axis=1) == labels
    # Not sklearn's log_loss, which clips float32 probabilities at 1e-7.
    likelihood = np.clip(probabilities[np.arange(len(labels)), labels], np.finfo(float).tiny, 1)
    brier = brier_score_loss(
        labels, probabilities, labels=range(probabilities.shape[1]), scale_by_half=False
    )
    return {
        "ece": reliability_bins(probabilities.max(axis=1), correct).ece,
        "negative_log_likelihood": float(-np.log(likelihood).mean()),
        "brier_score": float(brier),
    }


@dataclass(frozen=True)
class RiskCoverage:
    """Hold a risk–coverage curve: the k most confident predictions, k = 1 … N; arrays (N,).

    Attributes:
        coverage: the fraction of photos that is answered.
        risk: the error rate among the answered photos.
        threshold: the lowest confidence that is answered.
    """

    coverage: np.ndarray
    risk: np.ndarray
    threshold: np.ndarray

    def at_accuracy(self, accuracy: float) -> tuple[float, float] | None:
        """Return (threshold, coverage) of the largest coverage with at least this accuracy."""
        # A threshold cannot separate photos of equal confidence.
        separable = np.append(self.threshold[1:] != self.threshold[:-1], True)
        points = np.flatnonzero(separable & (self.risk <= 1 - accuracy + 1e-12))
        if not len(points):
            return None
        return float(self.threshold[points[-1]]), float(self.coverage[points[-1]])


def risk_coverage(confidence: np.ndarray, correct: np.ndarray) -> RiskCoverage:
    """Compute the risk–coverage curve of selective prediction from confidences (N,).

    El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010.
    """
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(correct) + 1)
    return RiskCoverage(
        answered / len(correct), np.cumsum(~correct[order]) / answered, confidence[order]
    )
