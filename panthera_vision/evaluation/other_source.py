"""Measure a model on photos of another source, which lie in folders named after their species."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.data.taxonomy import species_of_folder
from panthera_vision.errors import UserError, closest_name, list_names
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.evaluation.calibration import calibration_metrics, reliability_bins
from panthera_vision.evaluation.metrics import headline_metrics
from panthera_vision.evaluation.model_outputs import ModelOutputs
from panthera_vision.evaluation.plots import (
    plot_confusion_matrix,
    plot_ood_scores,
    plot_reliability,
)
from panthera_vision.evaluation.result_files import OTHER_SOURCE_FILE, OTHER_SOURCE_FOLDER
from panthera_vision.evaluation.subgroups import accuracy_by
from panthera_vision.images.readable import readable_photos
from panthera_vision.io.atomic import write_json, write_text

SETTING = "evaluate.other_source"
NOTE_FILE = "README.txt"  # in the folder of plots, where there are none


@dataclass(frozen=True)
class LabeledFolder:
    """Hold the photos of a folder whose subfolders name species of the model.

    Attributes:
        paths: the photos (N).
        labels: their class numbers (N,).
        groups: the folder of each photo in a subfolder of the species' folder, else the photo (N).
        left_out: number of photos by the folder that names no species of the model.
    """

    paths: list[Path]
    labels: np.ndarray
    groups: list[str]
    left_out: Counter[str]


def label_by_folder(
    paths: Sequence[Path], folder: Path, class_names: Sequence[str]
) -> LabeledFolder:
    """Label photos by the uppermost of their folders below `folder` that names a species.

    Raises:
        UserError: no folder names a species of the model.
    """
    numbers = {name: number for number, name in enumerate(class_names)}
    labeled: list[tuple[Path, int, str]] = []
    left_out: Counter[str] = Counter()
    for path in paths:
        parts = path.relative_to(folder).parts[:-1]
        named = ((depth, species_of_folder(part)) for depth, part in enumerate(parts, 1))
        depth, species = next((pair for pair in named if pair[1] in numbers), (0, None))
        if species is None:
            left_out[parts[0] if parts else "."] += 1
            continue
        group = path if depth == len(parts) else path.parent
        labeled.append((path, numbers[species], str(group)))
    if not labeled:
        close = next(filter(None, (closest_name(name, class_names) for name in left_out)), None)
        raise UserError(
            f"{SETTING} = {folder}: no folder in it is named after a species of the model "
            f"({list_names(class_names)}), such as {(close or class_names[0]).replace(' ', '_')}; "
            f"there are {list_names(left_out)}"
        )
    photos, labels, groups = zip(*labeled, strict=True)
    return LabeledFolder(list(photos), np.array(labels), list(groups), left_out)


def other_source_metrics(labeled: LabeledFolder, outputs: ModelOutputs) -> dict[str, Any]:
    """Compute accuracy, calibration and the share refused as none of the species.

    The intervals are those of the bootstrap over photos, or over the subfolders of the species'
    folders that they lie in; those by species are Wilson's (`accuracy_by`).
    """
    probabilities, actual = outputs.probabilities(), labeled.labels
    predicted = probabilities.argmax(axis=1)
    names = list(outputs.class_names)
    intervals = bootstrap_intervals(
        lambda rows: headline_metrics(actual[rows], predicted[rows], len(names)), labeled.groups
    )
    species = pd.Series([names[number] for number in actual])
    is_right = pd.Series(predicted == actual)
    by_species = accuracy_by(species, is_right).drop(columns="right")
    metrics: dict[str, Any] = {
        "photos": len(actual),
        **headline_metrics(actual, predicted, len(names)),
        "interval_95": {
            name: {"low": low, "high": high} for name, (low, high) in intervals.items()
        },
        "calibrated": calibration_metrics(probabilities, actual),
    }
    if outputs.ood_threshold is not None:
        refused = outputs.ood_scores > outputs.ood_threshold
        metrics["refused"] = float(refused.mean())
        if not refused.all():
            metrics["accuracy_of_accepted"] = float(is_right[~refused].mean())
        by_species["refused"] = pd.Series(refused).groupby(species).mean()
    return metrics | {"by_species": by_species.to_dict("index")}


def measure_other_source(
    folder: Path | None,
    outputs_of: Callable[[Sequence[Path]], ModelOutputs],
    class_names: Sequence[str],
    results: Path,
    threads: int,
) -> tuple[dict[str, Any], str]:
    """Write the metrics and plots of the photos in `folder`; without one, zero photos.

    Args:
        folder: with a subfolder for each species, named with its scientific or common name.
        outputs_of: runs the model on photo files.
        class_names: of the model.
        results: folder to write into.
        threads: that decode photos.

    Returns:
        The metrics, and a phrase that says how many photos were left out and why.

    Raises:
        UserError: the folder does not exist, has no readable photo, or names no species.
    """
    plots = results / OTHER_SOURCE_FOLDER
    plots.mkdir(parents=True, exist_ok=True)
    for earlier in plots.glob("*.png"):
        earlier.unlink()
    if folder is None:
        metrics: dict[str, Any] = {"photos": 0}
        write_json(results / OTHER_SOURCE_FILE, metrics)
        # DVC warns of an empty folder.
        write_text(plots / NOTE_FILE, f"No plots: {SETTING} names no folder of photos.\n")
        return metrics, ""
    (plots / NOTE_FILE).unlink(missing_ok=True)
    paths, phrase = readable_photos(folder, SETTING, threads)
    labeled = label_by_folder(paths, folder, class_names)
    outputs = outputs_of(labeled.paths)
    metrics = other_source_metrics(labeled, outputs)
    if unknown := labeled.left_out:
        metrics["photos_in_unknown_folders"] = unknown.total()
        listed = list_names(f"{count} in {name}" for name, count in unknown.most_common())
        told = f"{unknown.total()} photos in folders that name no species of the model ({listed})"
        phrase = "; ".join(filter(None, [phrase, f"{SETTING}: {told}"]))
    write_json(results / OTHER_SOURCE_FILE, metrics)
    _write_plots(labeled.labels, outputs, plots)
    return metrics, phrase


def _write_plots(actual: np.ndarray, outputs: ModelOutputs, folder: Path) -> None:
    probabilities = outputs.probabilities()
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    bins = reliability_bins(confidence, predicted == actual)
    what = "photos of another source"
    plot_confusion_matrix(
        actual, predicted, outputs.class_names, folder / "confusion_matrix.png", what
    )
    plot_reliability({what: bins}, folder / "reliability.png")
    plot_ood_scores(outputs.ood_scores, None, outputs.ood_threshold, folder / "ood_scores.png")
