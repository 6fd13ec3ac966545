"""What `evaluate` found, shaped for a page."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from panthera_vision.errors import UserError
from panthera_vision.evaluation.calibration import bins_of, risk_coverage_of
from panthera_vision.evaluation.results import (
    CERTAINTY_FILE,
    METRICS_FILE,
    PREDICTIONS_FILE,
)
from panthera_vision.photo_table import read_table

_PREDICTION_COLUMNS = ("id", "actual", "predicted", "probability", "none_of_these_score", "file")


@dataclass(frozen=True)
class Quality:
    """The figures of one evaluation.

    Attributes:
        metrics: headline metrics by name.
        certainty: intervals, calibration, selective answers, none of these.
        predictions: the test photos, one row each; probabilities are numbers.
    """

    metrics: dict[str, Any]
    certainty: dict[str, Any]
    predictions: pd.DataFrame

    @property
    def species(self) -> list[str]:
        """All that are there or were answered, by name."""
        return sorted({*self.predictions["actual"], *self.predictions["predicted"]})


def read_quality(results: Path) -> Quality:
    """Read what `evaluate` wrote.

    Raises:
        UserError: a file is missing or broken.
    """
    predictions = read_table(results / PREDICTIONS_FILE, _PREDICTION_COLUMNS)
    try:
        for column in ("probability", "none_of_these_score"):
            predictions[column] = predictions[column].astype(float)
    except ValueError as error:
        raise UserError(f"{results / PREDICTIONS_FILE} is not a table: {error}") from None
    if predictions.empty:
        raise UserError(f"{results / PREDICTIONS_FILE} has no photo")
    return Quality(
        _read_json(results / METRICS_FILE), _read_json(results / CERTAINTY_FILE), predictions
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is not there; `dvc repro` makes it") from None
    except ValueError as error:
        raise UserError(f"{path} is broken: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} is broken: it holds no names")
    return content


def confusions(quality: Quality) -> pd.DataFrame:
    """All pairs of true and predicted species, with `photos` and their `share` of the true ones."""
    pairs = pd.MultiIndex.from_product([quality.species] * 2, names=["actual", "predicted"])
    counts = quality.predictions.groupby(["actual", "predicted"]).size().reindex(pairs).fillna(0)
    table = counts.astype(int).rename("photos").reset_index()
    table["share"] = table["photos"] / table.groupby("actual")["photos"].transform("sum").clip(1)
    return table


def largest_confusion(table: pd.DataFrame) -> tuple[str, str]:
    """The pair of two species with the most photos; of one and the same where nothing is wrong."""
    wrong = table[(table["actual"] != table["predicted"]) & (table["photos"] > 0)]
    row = (wrong if len(wrong) else table).sort_values("photos", ascending=False).iloc[0]
    return str(row["actual"]), str(row["predicted"])


def photos_of(quality: Quality, actual: str, predicted: str) -> pd.DataFrame:
    """The predictions of one cell of the confusion matrix, the surest first."""
    rows = quality.predictions
    cell = rows[(rows["actual"] == actual) & (rows["predicted"] == predicted)]
    return cell.sort_values("probability", ascending=False)


def by_species(quality: Quality) -> pd.DataFrame:
    """Precision, recall and F1 of each species, and how many photos it has."""
    names = quality.species
    precision, recall, f1, photos = precision_recall_fscore_support(
        quality.predictions["actual"],
        quality.predictions["predicted"],
        labels=names,
        zero_division=0.0,
    )
    return pd.DataFrame(
        {"species": names, "precision": precision, "recall": recall, "f1": f1, "photos": photos}
    )


def reliability(quality: Quality) -> pd.DataFrame:
    """Mean confidence, accuracy and number of photos of each bin that has some."""
    bins = bins_of(*_confidence(quality))
    table = pd.DataFrame(
        {"confidence": bins.confidence, "accuracy": bins.accuracy, "photos": bins.photos}
    )
    return table[table["photos"] > 0].reset_index(drop=True)


def accuracy_by_coverage(quality: Quality) -> pd.DataFrame:
    """The accuracy of answers, and the least confidence among them, by the share answered."""
    curve = risk_coverage_of(*_confidence(quality))
    return pd.DataFrame(
        {"coverage": curve.coverage, "accuracy": 1 - curve.risk, "threshold": curve.threshold}
    )


def _confidence(quality: Quality) -> tuple[Any, Any]:
    rows = quality.predictions
    return rows["probability"].to_numpy(), (rows["actual"] == rows["predicted"]).to_numpy()
