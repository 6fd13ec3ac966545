"""What `evaluate` leaves behind: metrics, tables and pictures of the test photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from panthera_vision.data.photo_table import write_table
from panthera_vision.data.splits import observation_groups
from panthera_vision.errors import UserError
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.calibration import (
    calibration_metrics,
    reliability_bins,
    risk_coverage,
)
from panthera_vision.evaluation.metrics import (
    classification_metrics,
    headline_metrics,
    report_by_class,
)
from panthera_vision.evaluation.ood import ood_metrics
from panthera_vision.evaluation.plots import (
    plot_confusion_matrix,
    plot_ood_scores,
    plot_reliability,
    plot_risk_coverage,
)
from panthera_vision.evaluation.subgroups import observer_summary
from panthera_vision.io.atomic import write_json, write_text

METRICS_FILE = "evaluation_metrics.json"
CERTAINTY_FILE = "certainty_metrics.json"
REPORT_FILE = "classification_report.txt"
MATRIX_PICTURE = "confusion_matrix.png"
RELIABILITY_PICTURE = "reliability.png"
RISK_PICTURE = "risk_coverage.png"
OOD_PICTURE = "ood_scores.png"
PREDICTIONS_FILE = "test_predictions.csv"
WANTED_ACCURACY = 0.99


@dataclass(frozen=True)
class ModelOutputs:
    """What a model gave for the test photos, and how its answers are read from that.

    Attributes:
        logits: (N, classes).
        ood_scores: (N,).
        class_names: in the order of the logits.
        temperature: calibrates the logits; see `fit_temperature`.
        ood_threshold: photos with a higher score are answered "none of these".
        scores_of_others: (M,), of photos that show none of the species, where there are any.
    """

    logits: np.ndarray
    ood_scores: np.ndarray
    class_names: Sequence[str]
    temperature: float
    ood_threshold: float | None
    scores_of_others: np.ndarray | None = None


def write_results(
    test: pd.DataFrame, outputs: ModelOutputs, folder: Path
) -> tuple[dict[str, float], dict[str, Any]]:
    """Write all results of the test photos into `folder`.

    Args:
        test: rows of `photos.csv`, N of them.
        outputs: what the model gave for them.
        folder: gets the files.

    Returns:
        The headline metrics, and those of certainty, as written.

    Raises:
        UserError: a photo is of a species that the model does not know.
    """
    class_names, temperature = outputs.class_names, outputs.temperature
    unknown = sorted(set(test["species"]) - set(class_names))
    if unknown:
        raise UserError(f"the model does not know {', '.join(unknown)}; train it again")
    numbers = {name: number for number, name in enumerate(class_names)}
    actual = test["species"].map(numbers).to_numpy()
    raw = softmax(outputs.logits, axis=1)
    calibrated = softmax(outputs.logits / temperature, axis=1)
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
    if outputs.ood_threshold is not None:
        certainty["ood"] = ood_metrics(
            outputs.ood_scores,
            outputs.scores_of_others,
            outputs.ood_threshold,
        )
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
    plot_ood_scores(
        outputs.ood_scores,
        outputs.scores_of_others,
        outputs.ood_threshold,
        folder / OOD_PICTURE,
    )
    write_table(_predictions(test, calibrated, outputs), folder / PREDICTIONS_FILE)
    return metrics, certainty


def _predictions(
    test: pd.DataFrame, probabilities: np.ndarray, outputs: ModelOutputs
) -> pd.DataFrame:
    class_names = outputs.class_names
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
            "ood_score": outputs.ood_scores.round(6),
            "file": test["file"],
        }
    )
