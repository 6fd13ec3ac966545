"""What `evaluate` leaves behind: metrics, a report, and the confusion matrix twice."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.evaluation.metrics import classification_metrics, report_by_class
from panthera_vision.evaluation.plots import plot_confusion_matrix
from panthera_vision.files import write_json, write_text
from panthera_vision.photo_table import write_table

METRICS_FILE = "evaluation_metrics.json"
REPORT_FILE = "classification_report.txt"
MATRIX_PICTURE = "confusion_matrix.png"
PREDICTIONS_FILE = "test_predictions.csv"


def write_results(
    test: pd.DataFrame, logits: np.ndarray, class_names: Sequence[str], folder: Path
) -> dict[str, float]:
    """Write all results of the test photos into `folder`; returns the headline metrics.

    Args:
        test: rows of `photos.csv`, N of them.
        logits: (N, classes).
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
    predicted = logits.argmax(axis=1)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    metrics = classification_metrics(actual, predicted, len(class_names))
    write_json(folder / METRICS_FILE, metrics)
    write_text(folder / REPORT_FILE, report_by_class(actual, predicted, class_names))
    plot_confusion_matrix(actual, predicted, class_names, folder / MATRIX_PICTURE)
    predictions = pd.DataFrame(
        {
            "id": test["id"],
            "actual": test["species"],
            "predicted": [class_names[number] for number in predicted],
            "probability": probabilities.max(axis=1).round(6),
            "file": test["file"],
        }
    )
    write_table(predictions, folder / PREDICTIONS_FILE)
    return metrics
