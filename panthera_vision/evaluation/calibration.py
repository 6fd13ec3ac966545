"""Whether probabilities mean what they say, and what is gained by not answering."""

from dataclasses import dataclass

import numpy as np

BINS = 15


@dataclass(frozen=True)
class ReliabilityBins:
    """Photos by confidence, in `BINS` equal intervals of (0, 1]; arrays of that length.

    Attributes:
        photos: how many fall into each interval.
        confidence: their mean confidence; NaN where there are none.
        accuracy: the share of them that is right; NaN where there are none.
    """

    photos: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability_bins(probabilities: np.ndarray, labels: np.ndarray) -> ReliabilityBins:
    """Group photos by the probability (N, classes) of their predicted class."""
    return bins_of(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def bins_of(confidence: np.ndarray, right: np.ndarray) -> ReliabilityBins:
    """Group photos by their confidence (N,); `right` (N,) says which answers were."""
    numbers = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    photos = np.bincount(numbers, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return ReliabilityBins(
            photos,
            np.bincount(numbers, confidence, BINS) / photos,
            np.bincount(numbers, right, BINS) / photos,
        )


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """ECE: the mean gap between confidence and accuracy over bins, weighted by photos.

    Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    bins = reliability_bins(probabilities, labels)
    gaps = np.nan_to_num(np.abs(bins.confidence - bins.accuracy))
    return float((gaps * bins.photos).sum() / bins.photos.sum())


def calibration_metrics(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """ECE, mean negative log-likelihood in nats, and the multi-class Brier score (0 to 2)."""
    rows = np.arange(len(labels))
    likelihood = np.clip(probabilities[rows, labels], np.finfo(float).tiny, 1)
    truth = np.zeros_like(probabilities)
    truth[rows, labels] = 1
    return {
        "ece": expected_calibration_error(probabilities, labels),
        "negative_log_likelihood": float(-np.log(likelihood).mean()),
        "brier_score": float(((probabilities - truth) ** 2).sum(axis=1).mean()),
    }


@dataclass(frozen=True)
class RiskCoverage:
    """Answering only the most confident photos, from none left out to one left; arrays (N,).

    Attributes:
        coverage: the share of photos that is answered.
        risk: the share of answers that is wrong.
        threshold: the least confidence that is answered.
    """

    coverage: np.ndarray
    risk: np.ndarray
    threshold: np.ndarray

    def at_accuracy(self, accuracy: float) -> tuple[float, float] | None:
        """Threshold and coverage of the most answers with at least `accuracy`; None if none."""
        # Photos of equal confidence are answered together or not at all.
        cut = np.append(self.threshold[1:] != self.threshold[:-1], True)
        good = np.flatnonzero(cut & (self.risk <= 1 - accuracy + 1e-12))
        if not len(good):
            return None
        return float(self.threshold[good[-1]]), float(self.coverage[good[-1]])


def risk_coverage(probabilities: np.ndarray, labels: np.ndarray) -> RiskCoverage:
    """The risk–coverage curve of probabilities (N, classes).

    El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010.
    """
    return risk_coverage_of(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def risk_coverage_of(confidence: np.ndarray, right: np.ndarray) -> RiskCoverage:
    """The risk–coverage curve of answers with their confidence (N,), and which were right (N,)."""
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(right) + 1)
    return RiskCoverage(
        answered / len(right), np.cumsum(~right[order]) / answered, confidence[order]
    )
