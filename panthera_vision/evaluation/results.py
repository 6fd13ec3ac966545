"""What `evaluate` leaves behind: metrics, tables and pictures of the test photos."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from panthera_vision.errors import UserError
from panthera_vision.evaluation.calibration import (
    calibration_metrics,
    reliability_bins,
    risk_coverage,
)
from panthera_vision.evaluation.group_accuracy import observer_summary
from panthera_vision.evaluation.intervals import bootstrap_intervals
from panthera_vision.evaluation.metrics import (
    classification_metrics,
    headline_metrics,
    report_by_class,
)
from panthera_vision.evaluation.plots import (
    plot_confusion_matrix,
    plot_reliability,
    plot_risk_coverage,
)
from panthera_vision.files import write_json, write_text
from panthera_vision.photo_table import write_table
from panthera_vision.splits import observation_groups

METRICS_FILE = "evaluation_metrics.json"
CERTAINTY_FILE = "certainty_metrics.json"
REPORT_FILE = "classification_report.txt"
MATRIX_PICTURE = "confusion_matrix.png"
RELIABILITY_PICTURE = "reliability.png"
RISK_PICTURE = "risk_coverage.png"
PREDICTIONS_FILE = "test_predictions.csv"
WANTED_ACCURACY = 0.99


def write_results(
    test: pd.DataFrame,
    logits: np.ndarray,
    temperature: float,
    class_names: Sequence[str],
    folder: Path,
) -> dict[str, float]:
    """Write all results of the test photos into `folder`; returns the headline metrics.

    Args:
        test: rows of `photos.csv`, N of them.
        logits: (N, classes).
        temperature: calibrates them; see `fit_temperature`.
        class_names: in the order of the logits.
        folder: gets the files.

    Raises:
        UserError: a photo is of a species that the model does not know.
    """
    unknown = sorted(set(test["species"]) - set(class_names))
    if unknown:
        raise UserError(f"the model does not know {', '.join(unknown)}; train it again")
    numbers = {name: number for number, name in enumerate(class_names)}
    actual = test["species"].map(numbers).to_numpy()
    raw, calibrated = softmax(logits, axis=1), softmax(logits / temperature, axis=1)
    predicted = calibrated.argmax(axis=1)
    curve = risk_coverage(calibrated, actual)
    intervals = bootstrap_intervals(
        lambda rows: headline_metrics(actual[rows], predicted[rows], len(class_names)),
        list(observation_groups(test, "observer_day")),
    )
    metrics = classification_metrics(actual, predicted, len(class_names))
    certainty: dict[str, Any] = {
        "interval_95": {
            name: {"low": low, "high": high} for name, (low, high) in intervals.items()
        },
        "temperature": temperature,
        "calibrated": calibration_metrics(calibrated, actual),
        "uncalibrated": calibration_metrics(raw, actual),
        "by_observer": observer_summary(test, pd.Series(predicted == actual, index=test.index)),
    }
    if point := curve.at_accuracy(WANTED_ACCURACY):
        certainty["selective"] = {
            "accuracy": WANTED_ACCURACY,
            "threshold": point[0],
            "coverage": point[1],
        }
    write_json(folder / METRICS_FILE, metrics)
    write_json(folder / CERTAINTY_FILE, certainty)
    write_text(folder / REPORT_FILE, report_by_class(actual, predicted, class_names))
    plot_confusion_matrix(actual, predicted, class_names, folder / MATRIX_PICTURE)
    plot_reliability(
        {
            "as trained": reliability_bins(raw, actual),
            "calibrated": reliability_bins(calibrated, actual),
        },
        folder / RELIABILITY_PICTURE,
    )
    plot_risk_coverage(curve, WANTED_ACCURACY, folder / RISK_PICTURE)
    write_table(_predictions(test, calibrated, class_names), folder / PREDICTIONS_FILE)
    return metrics


def _predictions(
    test: pd.DataFrame, probabilities: np.ndarray, class_names: Sequence[str]
) -> pd.DataFrame:
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    rows = np.arange(len(test))
    return pd.DataFrame(
        {
            "id": test["id"],
            "actual": test["species"],
            "predicted": [class_names[number] for number in ranked[:, 0]],
            "probability": probabilities[rows, ranked[:, 0]].round(6),
            "runner_up": [class_names[number] for number in ranked[:, 1]],
            "runner_up_probability": probabilities[rows, ranked[:, 1]].round(6),
            "file": test["file"],
        }
    )
