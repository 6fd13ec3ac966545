import numpy as np
import pytest
from scipy.special import softmax

from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.calibration import (
    ReliabilityBins,
    RiskCoverage,
    calibration_metrics,
    reliability_bins,
    risk_coverage,
)
from panthera_vision.evaluation.metrics import classification_metrics, headline_metrics
from panthera_vision.training.calibration import fit_temperature


def bins_of(probabilities: np.ndarray, labels: np.ndarray) -> ReliabilityBins:
    return reliability_bins(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


def curve_of(probabilities: np.ndarray, labels: list[int]) -> RiskCoverage:
    return risk_coverage(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)


@pytest.fixture
def calibrated() -> tuple[np.ndarray, np.ndarray]:
    """Return logits (4000, 5) and labels that were drawn from their softmax."""
    random = np.random.default_rng(1)
    logits = random.normal(scale=2, size=(4000, 5))
    labels = [random.choice(5, p=row) for row in softmax(logits, axis=1)]
    return logits, np.array(labels)


def test_temperature_scaling_recovers_the_temperature(
    calibrated: tuple[np.ndarray, np.ndarray],
) -> None:
    logits, labels = calibrated
    assert fit_temperature(logits, labels) == pytest.approx(1, rel=0.05)
    for factor in (0.4, 3.0):
        temperature = fit_temperature(logits * factor, labels)
        assert temperature == pytest.approx(factor, rel=0.05)
        before = bins_of(softmax(logits * factor, axis=1), labels).ece
        after = bins_of(softmax(logits * factor / temperature, axis=1), labels).ece
        assert after < 0.02 < before


def test_a_small_perfect_validation_set_does_not_give_full_confidence() -> None:
    labels = np.arange(40) % 5
    logits = np.eye(5)[labels] * 4
    confidence = softmax(logits / fit_temperature(logits, labels), axis=1).max(axis=1)
    assert confidence == pytest.approx(1 - 1 / 42, abs=1e-3)


def test_ece_brier_score_and_nll_by_hand() -> None:
    # Confidence 0.9 with accuracy 0.6, then confidence 0.5 with accuracy 0.5.
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.5, 0.5]] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [0] * 5 + [1] * 5)
    bins = bins_of(probabilities, labels)
    assert bins.ece == pytest.approx(0.3 / 2)
    assert bins.photos.sum() == 20
    assert bins.accuracy[bins.photos > 0].tolist() == pytest.approx([0.5, 0.6])
    metrics = calibration_metrics(probabilities[:10], labels[:10])
    assert metrics["brier_score"] == pytest.approx((6 * 0.02 + 4 * 1.62) / 10)
    expected = -(6 * np.log(0.9) + 4 * np.log(0.1)) / 10
    assert metrics["negative_log_likelihood"] == pytest.approx(expected)


def test_risk_falls_with_coverage_and_equal_confidence_is_never_split() -> None:
    probabilities = np.array([[0.99, 0.01], [0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    curve = curve_of(probabilities, [0, 0, 1, 0])
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert curve.at_accuracy(0.99) == (0.9, 0.5)
    assert curve.at_accuracy(0.75) == (0.6, 1.0)
    hopeless = curve_of(probabilities, [1, 1, 1, 1])
    assert hopeless.at_accuracy(0.99) is None
    even = curve_of(np.array([[0.9, 0.1]] * 4), [0, 0, 1, 1])
    assert even.at_accuracy(0.99) is None


def test_cluster_bootstrap_intervals_contain_the_accuracy_and_widen_with_clusters() -> None:
    random = np.random.default_rng(2)
    right = np.repeat(random.random(100) < 0.8, 5)

    def accuracy(rows: np.ndarray) -> dict[str, float]:
        return {"accuracy": float(right[rows].mean())}

    alone = bootstrap_intervals(accuracy, [str(number) for number in range(500)])["accuracy"]
    together = bootstrap_intervals(accuracy, [str(number // 5) for number in range(500)])[
        "accuracy"
    ]
    assert alone[0] < right.mean() < alone[1]
    assert together[1] - together[0] > 1.7 * (alone[1] - alone[0])


def test_headline_metrics_equal_scikit_learns() -> None:
    random = np.random.default_rng(3)
    actual, predicted = random.integers(0, 5, (2, 300))
    slow = classification_metrics(actual, predicted, 5)
    for name, value in headline_metrics(actual, predicted, 5).items():
        assert value == pytest.approx(slow[name])


def test_bootstrap_draws_whole_groups() -> None:
    """Resamples hold each drawn group with all its photos, and no part of another."""
    groups = ["b", "a", "b", "c", "a", "b"]
    members = {"a": [1, 4], "b": [0, 2, 5], "c": [3]}
    seen: list[dict[str, int]] = []

    def metrics(rows: np.ndarray) -> dict[str, float]:
        counts = {name: [int((rows == row).sum()) for row in of] for name, of in members.items()}
        assert all(len(set(times)) == 1 for times in counts.values())
        seen.append({name: times[0] for name, times in counts.items()})
        return {"photos": float(len(rows))}

    bootstrap_intervals(metrics, groups)
    assert all(sum(times.values()) == 3 for times in seen)
    assert {times["c"] for times in seen} >= {0, 1, 2}
