import numpy as np
import pytest
from scipy.special import softmax

from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.calibration import (
    calibration_metrics,
    expected_calibration_error,
    reliability_bins,
    risk_coverage,
)
from panthera_vision.evaluation.metrics import classification_metrics, headline_metrics
from panthera_vision.training.calibration import fit_temperature


@pytest.fixture
def honest() -> tuple[np.ndarray, np.ndarray]:
    """Logits (4000, 5) whose softmax is the very chance by which labels were drawn."""
    random = np.random.default_rng(1)
    logits = random.normal(scale=2, size=(4000, 5))
    labels = [random.choice(5, p=row) for row in softmax(logits, axis=1)]
    return logits, np.array(labels)


def test_temperature_undoes_overconfidence(honest: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = honest
    assert fit_temperature(logits, labels) == pytest.approx(1, rel=0.05)
    for factor in (0.4, 3.0):
        temperature = fit_temperature(logits * factor, labels)
        assert temperature == pytest.approx(factor, rel=0.05)
        before = expected_calibration_error(softmax(logits * factor, axis=1), labels)
        after = expected_calibration_error(softmax(logits * factor / temperature, axis=1), labels)
        assert after < 0.02 < before


def test_a_perfect_small_validation_set_does_not_make_it_certain() -> None:
    labels = np.arange(40) % 5
    logits = np.eye(5)[labels] * 4
    confidence = softmax(logits / fit_temperature(logits, labels), axis=1).max(axis=1)
    assert confidence == pytest.approx(1 - 1 / 42, abs=1e-3)


def test_the_error_is_the_gap_between_confidence_and_accuracy() -> None:
    # 0.9 sure and right 6 times in 10; then 0.5 sure and right 5 times in 10.
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.5, 0.5]] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [0] * 5 + [1] * 5)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.3 / 2)
    bins = reliability_bins(probabilities, labels)
    assert bins.photos.sum() == 20
    assert bins.accuracy[bins.photos > 0].tolist() == pytest.approx([0.5, 0.6])
    metrics = calibration_metrics(probabilities[:10], labels[:10])
    assert metrics["brier_score"] == pytest.approx((6 * 0.02 + 4 * 1.62) / 10)
    expected = -(6 * np.log(0.9) + 4 * np.log(0.1)) / 10
    assert metrics["negative_log_likelihood"] == pytest.approx(expected)


def test_answering_less_is_wrong_less() -> None:
    probabilities = np.array([[0.99, 0.01], [0.9, 0.1], [0.8, 0.2], [0.6, 0.4]])
    curve = risk_coverage(probabilities, np.array([0, 0, 1, 0]))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert curve.at_accuracy(0.99) == (0.9, 0.5)
    assert curve.at_accuracy(0.75) == (0.6, 1.0)
    hopeless = risk_coverage(probabilities, np.array([1, 1, 1, 1]))
    assert hopeless.at_accuracy(0.99) is None
    # Equal confidence can't be split by a threshold.
    even = risk_coverage(np.array([[0.9, 0.1]] * 4), np.array([0, 0, 1, 1]))
    assert even.at_accuracy(0.99) is None


def test_intervals_hold_the_truth_and_widen_with_groups() -> None:
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


def test_the_fast_metrics_are_the_slow_ones() -> None:
    random = np.random.default_rng(3)
    actual, predicted = random.integers(0, 5, (2, 300))
    slow = classification_metrics(actual, predicted, 5)
    for name, value in headline_metrics(actual, predicted, 5).items():
        assert value == pytest.approx(slow[name])
