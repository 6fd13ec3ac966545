"""Write the results of stage `evaluate`: metrics, plots and the predictions on the test photos."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report

from panthera_vision.data.photo_table import write_table
from panthera_vision.data.splits import observation_groups
from panthera_vision.errors import UserError, list_names
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.calibration import (
    calibration_metrics,
    reliability_bins,
    risk_coverage,
)
from panthera_vision.evaluation.encounters import describe_encounters, encounter_metrics
from panthera_vision.evaluation.metrics import classification_metrics, headline_metrics
from panthera_vision.evaluation.model_outputs import ModelOutputs
from panthera_vision.evaluation.ood import ood_metrics
from panthera_vision.evaluation.plots import (
    plot_confusion_matrix,
    plot_ood_scores,
    plot_reliability,
    plot_risk_coverage,
)
from panthera_vision.evaluation.result_files import CERTAINTY_FILE, METRICS_FILE, PREDICTIONS_FILE
from panthera_vision.evaluation.subgroups import observer_summary
from panthera_vision.io.atomic import write_json, write_text

TARGET_ACCURACY = 0.99


def write_results(
    test: pd.DataFrame, outputs: ModelOutputs, folder: Path
) -> tuple[dict[str, float], dict[str, Any]]:
    """Write metrics, plots and predictions of the test photos into `folder`.

    Args:
        test: rows of `photos.csv` (N), in the order of `outputs`.

    Returns:
        The contents of `evaluation_metrics.json` and `certainty_metrics.json`.

    Raises:
        UserError: if the model does not know a species of the test photos.
    """
    names = list(outputs.class_names)
    if unknown := sorted(set(test["species"]) - set(names)):
        raise UserError(f"the model was not trained on {list_names(unknown)}; train it again")
    actual = test["species"].map(names.index).to_numpy()
    predicted = outputs.probabilities().argmax(axis=1)
    metrics = classification_metrics(actual, predicted, len(names))
    certainty = _certainty_metrics(test, actual, outputs)
    encounters = certainty["encounters"]
    if encounters["with_several_photos"]:
        metrics["accuracy_per_encounter"] = encounters["accuracy_per_encounter"]
        metrics["gain_per_encounter"] = encounters["gain"]
    write_json(folder / METRICS_FILE, metrics)
    write_json(folder / CERTAINTY_FILE, certainty)
    by_class = classification_report(
        actual,
        predicted,
        labels=range(len(names)),
        target_names=names,
        digits=3,
        zero_division=0.0,
    )
    write_text(
        folder / "classification_report.txt", f"{by_class}\n{describe_encounters(encounters)}\n"
    )
    write_table(_prediction_table(test, outputs), folder / PREDICTIONS_FILE)
    _write_plots(actual, outputs, folder)
    return metrics, certainty


def _certainty_metrics(
    test: pd.DataFrame, actual: np.ndarray, outputs: ModelOutputs
) -> dict[str, Any]:
    """Compute confidence intervals, calibration, OOD detection and selective prediction."""
    calibrated = outputs.probabilities()
    predicted = calibrated.argmax(axis=1)
    intervals = bootstrap_intervals(
        lambda rows: headline_metrics(actual[rows], predicted[rows], len(outputs.class_names)),
        list(observation_groups(test, "observer_day")),
    )
    certainty: dict[str, Any] = {
        "interval_95": {
            name: {"low": low, "high": high} for name, (low, high) in intervals.items()
        },
        "temperature": outputs.temperature,
        "calibrated": calibration_metrics(calibrated, actual),
        "uncalibrated": calibration_metrics(outputs.probabilities(calibrated=False), actual),
        "encounters": encounter_metrics(
            test, actual, calibrated, outputs.ood_scores, outputs.ood_threshold
        ),
        "by_observer": observer_summary(test, pd.Series(predicted == actual, index=test.index)),
    }
    if outputs.ood_threshold is not None:
        certainty["ood"] = ood_metrics(
            outputs.ood_scores, outputs.scores_of_others, outputs.ood_threshold
        )
    curve = risk_coverage(calibrated.max(axis=1), predicted == actual)
    if point := curve.at_accuracy(TARGET_ACCURACY):
        certainty["selective"] = {
            "accuracy": TARGET_ACCURACY,
            "threshold": point[0],
            "coverage": point[1],
        }
    return certainty


def _write_plots(actual: np.ndarray, outputs: ModelOutputs, folder: Path) -> None:
    curves = {}
    for name, calibrated in (("uncalibrated", False), ("calibrated", True)):
        probabilities = outputs.probabilities(calibrated=calibrated)
        confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
        curves[name] = reliability_bins(confidence, predicted == actual)
    plot_confusion_matrix(actual, predicted, outputs.class_names, folder / "confusion_matrix.png")
    plot_reliability(curves, folder / "reliability.png")
    plot_risk_coverage(
        risk_coverage(confidence, predicted == actual),
        TARGET_ACCURACY,
        folder / "risk_coverage.png",
    )
    plot_ood_scores(
        outputs.ood_scores,
        outputs.scores_of_others,
        outputs.ood_threshold,
        folder / "ood_scores.png",
    )


def _prediction_table(test: pd.DataFrame, outputs: ModelOutputs) -> pd.DataFrame:
    probabilities = outputs.probabilities()
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    names, rows = np.array(outputs.class_names, dtype=object), np.arange(len(test))
    return pd.DataFrame(
        {
            "id": test["id"],
            "actual": test["species"],
            "predicted": names[ranked[:, 0]],
            "probability": probabilities[rows, ranked[:, 0]].round(6),
            "runner_up": names[ranked[:, 1]],
            "runner_up_probability": probabilities[rows, ranked[:, 1]].round(6),
            "ood_score": outputs.ood_scores.round(6),
            "file": test["file"],
        }
    )
