"""Pictures of an evaluation. Colours are safe for colour-blind eyes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from panthera_vision.evaluation.calibration import BINS, ReliabilityBins, RiskCoverage
from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.palette import COLORS, MARKERS


def plot_confusion_matrix(
    actual: np.ndarray, predicted: np.ndarray, class_names: Sequence[str], path: Path
) -> None:
    """Counts, coloured by the share of the true species' photos."""
    counts = confusion_matrix(actual, predicted, labels=range(len(class_names)))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.4 + 1.0 * len(class_names)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, label="share of the true species' photos", shrink=0.8)
    names = [name.replace(" ", "\n", 1) for name in class_names]
    axes.set_xticks(range(len(names)), names, style="italic")
    axes.set_yticks(range(len(names)), names, style="italic")
    axes.set_xlabel("predicted species")
    axes.set_ylabel("true species")
    hits = int(np.trace(counts))
    axes.set_title(f"Test photos: {hits} of {counts.sum()} right ({hits / counts.sum():.1%})")
    for row in range(len(names)):
        for column in range(len(names)):
            axes.text(
                column,
                row,
                f"{counts[row, column]}",
                ha="center",
                va="center",
                color="black" if shares[row, column] > 0.5 else "white",
            )
    save_figure(figure, path)


def plot_accuracy_by_taxon(table: pd.DataFrame, accuracy: float, path: Path) -> None:
    """Each taxon's accuracy with its 95% interval, in the table's order, beside that of all.

    Args:
        table: of `per_subspecies_accuracy`.
        accuracy: of all test photos.
        path: the picture.
    """
    figure = Figure(figsize=(8, 1.6 + 0.32 * len(table)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(accuracy, color="grey", linestyle=":", label=f"all photos: {accuracy:.1%}")
    heights = np.arange(len(table))
    axes.hlines(heights, table["interval_low"], table["interval_high"], color=COLORS[1])
    axes.plot(
        table["accuracy"],
        heights,
        color=COLORS[1],
        marker=MARKERS[1],
        linestyle="none",
        label="accuracy and its 95% interval",
    )
    # Names come from a table: a dollar sign must not begin a formula.
    axes.set_yticks(
        heights,
        [
            f"{shorten(taxon, 60)} ({right} of {photos})"
            for taxon, right, photos in zip(
                table["taxon"], table["right"], table["photos"], strict=True
            )
        ],
        parse_math=False,
    )
    axes.set(xlim=(-0.02, 1.02), xlabel="share of its test photos that is right")
    axes.invert_yaxis()
    axes.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    save_figure(figure, path)


def plot_reliability(curves: Mapping[str, ReliabilityBins], path: Path) -> None:
    """Accuracy against confidence, above how many photos stand behind each point."""
    figure = Figure(figsize=(6, 7), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], color="grey", linestyle=":", label="honest")
    edges = np.arange(BINS + 1) / BINS
    for (name, bins), colour, marker in zip(curves.items(), COLORS, MARKERS, strict=False):
        there = bins.photos > 0
        above.plot(
            bins.confidence[there], bins.accuracy[there], color=colour, marker=marker, label=name
        )
        below.stairs(bins.photos, edges, color=colour, linewidth=1.5)
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share that is right")
    above.set_title("Is 90% sure right nine times in ten?")
    above.legend(loc="upper left")
    below.set(xlabel="confidence", ylabel="photos")
    save_figure(figure, path)


def plot_risk_coverage(curve: RiskCoverage, accuracy: float, path: Path) -> None:
    """The share of wrong answers as ever more photos are answered, the surest first."""
    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(curve.coverage, curve.risk, color=COLORS[1], label="surest photos first")
    axes.axhline(1 - accuracy, color="grey", linestyle=":", label=f"{accuracy:.0%} accuracy")
    point = curve.at_accuracy(accuracy)
    if point:
        threshold, coverage = point
        axes.axvline(coverage, color=COLORS[0], linestyle="--")
        axes.set_title(
            f"{accuracy:.0%} right on the {coverage:.0%} with confidence ≥ {threshold:.2f}"
        )
    else:
        axes.set_title(f"No threshold gives {accuracy:.0%} accuracy")
    axes.set(xlabel="share of photos answered", ylabel="share of answers that is wrong")
    axes.set(xlim=(0, 1.01), ylim=(0, None))
    axes.legend(loc="upper left")
    save_figure(figure, path)


def plot_ood_scores(
    ours: np.ndarray, others: np.ndarray | None, threshold: float | None, path: Path
) -> None:
    """Histograms of the scores of test photos, and of photos of anything else where given."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    everything = ours if others is None else np.concatenate([ours, others])
    edges = np.histogram_bin_edges(everything, bins=40)
    for scores, label, colour in (
        (ours, "photos of the species", COLORS[1]),
        (others, "photos of anything else", COLORS[0]),
    ):
        if scores is not None:
            shares = np.full(len(scores), 1 / len(scores))
            axes.hist(
                scores,
                list(edges),
                weights=shares,
                histtype="stepfilled",
                alpha=0.5,
                color=colour,
                label=f"{label} ({len(scores)})",
            )
    if threshold is not None:
        axes.axvline(threshold, color="black", linestyle="--", label="threshold")
    axes.set(xlabel="none-of-these score", ylabel="share of the photos")
    axes.set_title("Right of the threshold: none of the species")
    axes.legend()
    save_figure(figure, path)
