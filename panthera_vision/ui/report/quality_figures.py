"""Read the results of `evaluate`, and compute the figures of the quality page."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from panthera_vision.data.photo_table import read_table
from panthera_vision.errors import UserError
from panthera_vision.evaluation.calibration import reliability_bins, risk_coverage
from panthera_vision.evaluation.result_files import (
    CERTAINTY_FILE,
    METRICS_FILE,
    OTHER_SOURCE_FILE,
    PREDICTIONS_FILE,
)
from panthera_vision.ui.report.read_results import read_json_as
from panthera_vision.ui.report.result_models import Certainty, Metrics, OtherSource

_PREDICTION_COLUMNS = ("id", "actual", "predicted", "probability")
_PHOTO_COLUMNS = ("file", "license", "attribution", "observation_url")
# More points than a chart has pixels only slow the page down.
_MOST_POINTS = 500


@dataclass(frozen=True)
class Quality:
    """Hold one evaluation; `predictions` has a row per test photo, with numeric probabilities."""

    metrics: Metrics
    certainty: Certainty
    predictions: pd.DataFrame
    other_source: OtherSource

    @property
    def species(self) -> list[str]:
        """Return all actual and predicted species, sorted."""
        return sorted({*self.predictions["actual"], *self.predictions["predicted"]})

    def count_confusions(self) -> pd.DataFrame:
        """Count all pairs of actual and predicted species, with `share` of the actual ones."""
        pairs = pd.MultiIndex.from_product([self.species] * 2, names=["actual", "predicted"])
        counts = self.predictions.groupby(["actual", "predicted"]).size().reindex(pairs).fillna(0)
        table = counts.astype(int).rename("photos").reset_index()
        actual = table.groupby("actual")["photos"].transform("sum")
        return table.assign(share=table["photos"] / actual.clip(1))

    def photos_of(self, actual: str, predicted: str) -> pd.DataFrame:
        """Return the predictions of one cell of the confusion matrix, most confident first."""
        rows = self.predictions
        cell = rows[(rows["actual"] == actual) & (rows["predicted"] == predicted)]
        return cell.sort_values("probability", ascending=False)

    def score_by_species(self) -> pd.DataFrame:
        """Return precision, recall and the number of photos of each species."""
        names = self.species
        precision, recall, _, photos = precision_recall_fscore_support(
            self.predictions["actual"],
            self.predictions["predicted"],
            labels=names,
            zero_division=0.0,
        )
        return pd.DataFrame(
            {"species": names, "precision": precision, "recall": recall, "photos": photos}
        )

    def reliability(self) -> pd.DataFrame:
        """Return mean confidence, accuracy and number of photos of each bin that is not empty."""
        bins = reliability_bins(*self._confidence())
        table = pd.DataFrame(
            {"confidence": bins.confidence, "accuracy": bins.accuracy, "photos": bins.photos}
        )
        return table[table["photos"] > 0].reset_index(drop=True)

    def accuracy_by_coverage(self) -> pd.DataFrame:
        """Return the accuracy of answers and their lowest confidence by coverage."""
        curve = risk_coverage(*self._confidence())
        table = pd.DataFrame(
            {"coverage": curve.coverage, "accuracy": 1 - curve.risk, "threshold": curve.threshold}
        )
        # Photos with equal confidence are answered together or not at all.
        table = table.drop_duplicates("threshold", keep="last")
        chosen = np.unique(np.linspace(0, len(table) - 1, _MOST_POINTS).round().astype(int))
        return table.iloc[chosen].reset_index(drop=True)

    def _confidence(self) -> tuple[np.ndarray, np.ndarray]:
        rows = self.predictions
        return rows["probability"].to_numpy(), (rows["actual"] == rows["predicted"]).to_numpy()


def read_quality(results: Path) -> Quality:
    """Read the results of `evaluate`.

    Raises:
        UserError: a file is missing or broken.
    """
    path = results / PREDICTIONS_FILE
    predictions = read_table(path, _PREDICTION_COLUMNS)
    probability = pd.to_numeric(predictions["probability"], errors="coerce")
    if not probability.between(0, 1).all():
        raise UserError(f"{path} is broken: a probability is not from 0 to 1")
    if predictions.empty:
        raise UserError(f"{path} has no photos")
    other_source = results / OTHER_SOURCE_FILE
    return Quality(
        read_json_as(results / METRICS_FILE, Metrics),
        read_json_as(results / CERTAINTY_FILE, Certainty),
        predictions.assign(probability=probability),
        # Results of an earlier version have no such file.
        read_json_as(other_source, OtherSource) if other_source.exists() else OtherSource(),
    )


def largest_confusion(table: pd.DataFrame) -> tuple[str, str]:
    """Return the most frequent mistake (actual, predicted), or else the fullest cell."""
    wrong = table[(table["actual"] != table["predicted"]) & (table["photos"] > 0)]
    row = (wrong if len(wrong) else table).sort_values("photos", ascending=False).iloc[0]
    return str(row["actual"]), str(row["predicted"])


def with_credits(cell: pd.DataFrame, photos: pd.DataFrame) -> list[dict[str, str]]:
    """Add each prediction's file and credits from photos.csv.

    A prediction without its photo in that table is left out: nobody could be credited.
    """
    known = photos.reindex(columns=["id", *_PHOTO_COLUMNS], fill_value="")
    joined = cell[list(_PREDICTION_COLUMNS)].merge(known.drop_duplicates("id"), on="id")
    return [
        {str(name): str(value) for name, value in row.items()} for row in joined.to_dict("records")
    ]
