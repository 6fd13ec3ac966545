"""What `evaluate` found, shaped for a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, FiniteFloat
from sklearn.metrics import precision_recall_fscore_support

from panthera_vision.data.photo_table import read_table
from panthera_vision.errors import UserError
from panthera_vision.evaluation.calibration import reliability_bins, risk_coverage
from panthera_vision.evaluation.result_files import CERTAINTY_FILE, METRICS_FILE, PREDICTIONS_FILE
from panthera_vision.ui.report.read_results import read_json_as

_PREDICTION_COLUMNS = ("id", "actual", "predicted", "probability", "file")
_CREDIT_COLUMNS = ("license", "attribution", "observation_url")
# More points than a chart has pixels only make the page heavy.
_MOST_POINTS = 500


class Metrics(BaseModel):
    """The headline figures, shares of 1."""

    accuracy: FiniteFloat
    macro_f1: FiniteFloat


class Interval(BaseModel):
    """Between which values a figure may lie."""

    low: FiniteFloat
    high: FiniteFloat


class Intervals(BaseModel):
    """Of the headline figures, 95%."""

    accuracy: Interval
    macro_f1: Interval


class Calibration(BaseModel):
    """How far the probabilities are off."""

    ece: FiniteFloat


class OODFigures(BaseModel):
    """How photos of the species are told from others; None where there were no others."""

    id_acceptance_rate: FiniteFloat
    other_photos: int | None = None
    ood_detection_rate: FiniteFloat | None = None
    auroc: FiniteFloat | None = None


class Selective(BaseModel):
    """What is reached by answering only from a threshold up."""

    accuracy: FiniteFloat
    threshold: FiniteFloat
    coverage: FiniteFloat


class Certainty(BaseModel):
    """How far the figures and the probabilities can be relied on."""

    interval_95: Intervals
    calibrated: Calibration
    ood: OODFigures | None = None
    selective: Selective | None = None


@dataclass(frozen=True)
class Quality:
    """The figures of one evaluation.

    Attributes:
        metrics: headline metrics.
        certainty: intervals, calibration, selective answers, none of these.
        predictions: the test photos, one row each; probabilities are numbers.
    """

    metrics: Metrics
    certainty: Certainty
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
    path = results / PREDICTIONS_FILE
    predictions = read_table(path, _PREDICTION_COLUMNS)
    probability = pd.to_numeric(predictions["probability"], errors="coerce")
    if not probability.between(0, 1).all():
        raise UserError(f"{path} is broken: a probability is none")
    if predictions.empty:
        raise UserError(f"{path} has no photo")
    return Quality(
        read_json_as(results / METRICS_FILE, Metrics),
        read_json_as(results / CERTAINTY_FILE, Certainty),
        predictions.assign(probability=probability),
    )


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


def with_credits(cell: pd.DataFrame, photos: pd.DataFrame) -> list[dict[str, str]]:
    """Each prediction with the licence, author and address of its photo.

    Photos that the table of photos does not know are left out: nobody could be credited.

    Args:
        cell: of `photos_of`.
        photos: rows of `photos.csv`.
    """
    known = photos.reindex(columns=["id", *_CREDIT_COLUMNS], fill_value="")
    joined = cell.merge(known.drop_duplicates("id"), on="id")
    return [{str(name): str(value) for name, value in row.items()} for row in _records(joined)]


def by_species(quality: Quality) -> pd.DataFrame:
    """Precision and recall of each species, and how many photos it has."""
    names = quality.species
    precision, recall, _, photos = precision_recall_fscore_support(
        quality.predictions["actual"],
        quality.predictions["predicted"],
        labels=names,
        zero_division=0.0,
    )
    return pd.DataFrame(
        {"species": names, "precision": precision, "recall": recall, "photos": photos}
    )


def reliability(quality: Quality) -> pd.DataFrame:
    """Mean confidence, accuracy and number of photos of each bin that has some."""
    bins = reliability_bins(*_confidence(quality))
    table = pd.DataFrame(
        {"confidence": bins.confidence, "accuracy": bins.accuracy, "photos": bins.photos}
    )
    return table[table["photos"] > 0].reset_index(drop=True)


def accuracy_by_coverage(quality: Quality) -> pd.DataFrame:
    """The accuracy of answers, and the least confidence among them, by the share answered."""
    curve = risk_coverage(*_confidence(quality))
    table = pd.DataFrame(
        {"coverage": curve.coverage, "accuracy": 1 - curve.risk, "threshold": curve.threshold}
    )
    # Photos of equal confidence are answered together or not at all.
    table = table.drop_duplicates("threshold", keep="last")
    chosen = np.unique(np.linspace(0, len(table) - 1, _MOST_POINTS).round().astype(int))
    return table.iloc[chosen].reset_index(drop=True)


def _records(table: pd.DataFrame) -> list[Mapping[Any, Any]]:
    return list(table.to_dict("records"))


def _confidence(quality: Quality) -> tuple[np.ndarray, np.ndarray]:
    rows = quality.predictions
    return rows["probability"].to_numpy(), (rows["actual"] == rows["predicted"]).to_numpy()
