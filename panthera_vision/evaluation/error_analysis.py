"""Write the error analysis: most confident mistakes, and accuracy per observer and subspecies."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.evaluation.model_outputs import ModelOutputs
from panthera_vision.evaluation.plots import plot_accuracy_by_taxon
from panthera_vision.evaluation.subgroups import per_observer_accuracy, per_subspecies_accuracy
from panthera_vision.reporting.contact_sheet import save_contact_sheet
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails

_PHOTOS_PER_SHEET = 24


def write_error_analysis(
    test: pd.DataFrame, paths: Sequence[Path], outputs: ModelOutputs, folder: Path
) -> None:
    """Write contact sheets, an HTML page, and accuracy tables by subgroup into `folder`.

    Args:
        test: rows of `photos.csv` (N), in the order of `paths` and `outputs`.

    Raises:
        UserError: if a photo is unreadable.
    """
    probabilities = outputs.probabilities()
    confidence = probabilities.max(axis=1)
    predicted = np.array(outputs.class_names, dtype=object)[probabilities.argmax(axis=1)]
    correct = test["species"] == predicted

    def thumbnails(rows: np.ndarray) -> list[Thumbnail]:
        photos = [paths[row] for row in rows]
        captions = [f"{value:.1%} confidence" for value in confidence[rows]]
        return make_thumbnails(test.iloc[rows], photos, list(predicted[rows]), captions)

    mistakes = Section(
        "Most confident mistakes: true species → predicted species "
        f"({int((~correct).sum())} of {len(test)} test photos are wrong)",
        thumbnails(most_confident_mistakes(confidence, correct.to_numpy(), _PHOTOS_PER_SHEET)),
        f"No mistakes: all {len(test)} test photos are classified correctly.",
    )
    uncertain = Section(
        "Least confident test photos: true species → predicted species",
        thumbnails(least_confident(confidence, _PHOTOS_PER_SHEET)),
        "No test photos.",
    )
    save_contact_sheet(mistakes, folder / "confident_mistakes.png")
    save_contact_sheet(uncertain, folder / "least_certain.png")
    save_html_page("Error analysis", [mistakes, uncertain], folder / "error_analysis.html")
    by_observer = per_observer_accuracy(test, correct)
    write_table_for_people(by_observer, folder / "per_observer_accuracy.csv")
    by_taxon = per_subspecies_accuracy(test, correct)
    write_table_for_people(by_taxon, folder / "per_subspecies_accuracy.csv")
    plot_accuracy_by_taxon(by_taxon, float(correct.mean()), folder / "per_subspecies_accuracy.png")


def most_confident_mistakes(confidence: np.ndarray, correct: np.ndarray, count: int) -> np.ndarray:
    """Return up to `count` rows of misclassified photos (N,), the most confident first."""
    wrong = np.flatnonzero(~correct)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:count]


def least_confident(confidence: np.ndarray, count: int) -> np.ndarray:
    """Return up to `count` rows of photos (N,), the least confident first."""
    return np.argsort(confidence, kind="stable")[:count]
