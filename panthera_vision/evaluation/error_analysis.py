"""Where the classifier errs: sheets of photos, and accuracy by observer and by subspecies."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.evaluation.plots import plot_accuracy_by_taxon
from panthera_vision.evaluation.report import ModelOutputs
from panthera_vision.evaluation.subgroups import (
    per_observer_accuracy,
    per_subspecies_accuracy,
)
from panthera_vision.reporting.contact_sheet import save_contact_sheet
from panthera_vision.reporting.html_page import Section, save_html_page
from panthera_vision.reporting.thumbnails import Thumbnail, make_thumbnails

MISTAKES_PICTURE = "confident_mistakes.png"
UNCERTAIN_PICTURE = "least_certain.png"
PAGE = "error_analysis.html"
OBSERVERS_FILE = "per_observer_accuracy.csv"
SUBSPECIES_FILE = "per_subspecies_accuracy.csv"
SUBSPECIES_PICTURE = "per_subspecies_accuracy.png"
_PHOTOS_PER_SHEET = 24


def write_error_analysis(
    test: pd.DataFrame, paths: Sequence[Path], outputs: ModelOutputs, folder: Path
) -> None:
    """Write the sheets, their page, and the tables by observer and subspecies into `folder`.

    Args:
        test: rows of `photos.csv`, N of them.
        paths: their photos.
        outputs: what the model gave for them.
        folder: gets the files.

    Raises:
        UserError: a photo can't be read.
    """
    probabilities = softmax(outputs.logits / outputs.temperature, axis=1)
    predicted = np.array(outputs.class_names, dtype=object)[probabilities.argmax(axis=1)]
    right = test["species"] == predicted
    _write_sheets(test, paths, probabilities.max(axis=1), predicted, right.to_numpy(), folder)
    write_table_for_people(per_observer_accuracy(test, right), folder / OBSERVERS_FILE)
    by_taxon = per_subspecies_accuracy(test, right)
    write_table_for_people(by_taxon, folder / SUBSPECIES_FILE)
    plot_accuracy_by_taxon(by_taxon, float(right.mean()), folder / SUBSPECIES_PICTURE)


def most_confident_mistakes(confidence: np.ndarray, right: np.ndarray, count: int) -> np.ndarray:
    """The numbers of the wrong photos, the most confident first, `count` at most.

    Args:
        confidence: the probability of each photo's predicted species (N,).
        right: whether that is its species (N,).
        count: how many are wanted.
    """
    wrong = np.flatnonzero(~right)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:count]


def least_certain(confidence: np.ndarray, count: int) -> np.ndarray:
    """The numbers of the photos with the least `confidence` (N,), the least first."""
    return np.argsort(confidence, kind="stable")[:count]


def _write_sheets(
    test: pd.DataFrame,
    paths: Sequence[Path],
    confidence: np.ndarray,
    predicted: np.ndarray,
    right: np.ndarray,
    folder: Path,
) -> None:
    def tiles(numbers: np.ndarray) -> list[Thumbnail]:
        return make_thumbnails(
            test.iloc[numbers],
            [paths[number] for number in numbers],
            list(predicted[numbers]),
            list(confidence[numbers]),
        )

    mistakes = Section(
        "The most confident mistakes, true species → predicted one "
        f"({int((~right).sum())} of {len(test)} test photos are wrong)",
        tiles(most_confident_mistakes(confidence, right, _PHOTOS_PER_SHEET)),
        f"No mistakes: all {len(test)} test photos are right.",
    )
    uncertain = Section(
        "The least certain test photos, true species → predicted one",
        tiles(least_certain(confidence, _PHOTOS_PER_SHEET)),
        "No test photos.",
    )
    for section, name in ((mistakes, MISTAKES_PICTURE), (uncertain, UNCERTAIN_PICTURE)):
        save_contact_sheet(section.title, section.tiles, section.empty, folder / name)
    save_html_page("Error analysis", [mistakes, uncertain], folder / PAGE)
