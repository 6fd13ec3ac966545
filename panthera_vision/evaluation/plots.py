"""Plot evaluation results with seaborn, in a color-blind-safe palette."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from panthera_vision.evaluation.calibration import BINS, ReliabilityBins, RiskCoverage
from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.palette import COLORS, MARKERS, marker_styles

_REFERENCE_LINE: dict[str, Any] = {"color": "grey", "linestyle": ":"}


def plot_confusion_matrix(
    actual: np.ndarray,
    predicted: np.ndarray,
    class_names: Sequence[str],
    path: Path,
    what: str = "test photos",
) -> None:
    """Plot the confusion matrix: counts of `what`, colored by the share of the true species."""
    counts = confusion_matrix(actual, predicted, labels=range(len(class_names)))
    side = 2.4 + 1.0 * len(class_names)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    names = [name.replace(" ", "\n", 1) for name in class_names]
    sns.heatmap(
        counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
        annot=counts,
        fmt="d",
        cmap="cividis",
        vmin=0,
        vmax=1,
        square=True,
        linewidths=0.5,
        xticklabels=names,
        yticklabels=names,
        cbar_kws={"label": "share of the true species' photos", "shrink": 0.8},
        ax=axes,
    )
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(style="italic", rotation=0)
    hits = int(np.trace(counts))
    axes.set(xlabel="predicted species", ylabel="true species")
    axes.set_title(f"Accuracy {hits / counts.sum():.1%}: {hits} of {counts.sum()} {what}")
    save_figure(figure, path)


def plot_accuracy_by_taxon(table: pd.DataFrame, accuracy: float, path: Path) -> None:
    """Plot the accuracy of each taxon with its 95% interval, next to the overall accuracy.

    Args:
        table: from `per_subspecies_accuracy`.
        accuracy: of all test photos.
    """
    figure = Figure(figsize=(9, 1.6 + 0.32 * len(table)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(accuracy, label=f"all photos: {accuracy:.1%}", **_REFERENCE_LINE)
    styles = marker_styles(sorted(table["species"].unique()))
    colors = {name: style.color for name, style in styles.items()}
    rows = np.arange(len(table))
    axes.hlines(
        rows, table["interval_low"], table["interval_high"], list(table["species"].map(colors))
    )
    sns.scatterplot(
        x=table["accuracy"],
        y=rows,
        hue=table["species"],
        style=table["species"],
        palette=colors,
        markers={name: style.marker for name, style in styles.items()},
        s=60,
        zorder=3,
        ax=axes,
    )
    labels = [
        f"{shorten(str(taxon), 60)} ({right} of {photos})"
        for taxon, right, photos in zip(
            table["taxon"], table["right"], table["photos"], strict=True
        )
    ]
    # The names come from a table: a dollar sign must not start a formula.
    axes.set_yticks(rows, labels, parse_math=False)
    axes.set(xlim=(-0.02, 1.02), xlabel="accuracy on the test photos, with 95% interval", ylabel="")
    axes.invert_yaxis()
    axes.grid(axis="y", alpha=0.3)
    sns.move_legend(axes, "upper left", bbox_to_anchor=(1.01, 1), title=None, frameon=False)
    save_figure(figure, path)


def plot_reliability(curves: Mapping[str, ReliabilityBins], path: Path) -> None:
    """Plot a reliability diagram, with the number of photos by confidence below it.

    Args:
        curves: reliability bins by the name that the legend shows.
    """
    figure = Figure(figsize=(6, 7), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], label="perfect calibration", **_REFERENCE_LINE)
    edges = np.arange(BINS + 1) / BINS
    for (name, bins), color, marker in zip(curves.items(), COLORS, MARKERS, strict=False):
        filled = bins.photos > 0
        sns.lineplot(
            x=bins.confidence[filled],
            y=bins.accuracy[filled],
            color=color,
            marker=marker,
            markersize=7,
            label=f"{name} (ECE {bins.ece:.3f})",
            ax=upper,
        )
        lower.stairs(bins.photos, edges, color=color, linewidth=1.5)
    upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy", title="Reliability diagram")
    upper.legend(loc="upper left")
    lower.set(xlabel="confidence (probability of the predicted species)", ylabel="photos")
    save_figure(figure, path)


def plot_risk_coverage(curve: RiskCoverage, accuracy: float, path: Path) -> None:
    """Plot the risk–coverage curve, and the coverage that reaches the wanted accuracy."""
    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(curve.coverage, curve.risk, color=COLORS[1], label="most confident photos first")
    axes.axhline(1 - accuracy, label=f"{accuracy:.0%} accuracy", **_REFERENCE_LINE)
    if point := curve.at_accuracy(accuracy):
        threshold, coverage = point
        axes.axvline(coverage, color=COLORS[0], linestyle="--", label=f"{coverage:.0%} coverage")
        title = f"{accuracy:.0%} accuracy on {coverage:.0%} of the photos"
        title += f" (confidence ≥ {threshold:.2f})"
    else:
        title = f"No confidence threshold reaches {accuracy:.0%} accuracy"
    axes.set(
        title=title,
        xlabel="coverage (fraction of photos answered)",
        ylabel="risk (error rate of the answers)",
        xlim=(0, 1.01),
        ylim=(0, None),
    )
    axes.legend(loc="upper left")
    save_figure(figure, path)


def plot_ood_scores(
    id_scores: np.ndarray, ood_scores: np.ndarray | None, threshold: float | None, path: Path
) -> None:
    """Plot histograms of OOD scores: test photos, and other photos if there are any."""
    figure = Figure(figsize=(6.5, 3.8), layout="constrained")
    axes = figure.subplots()
    sets = [(id_scores, "photos of the species", COLORS[1])]
    if ood_scores is not None:
        sets.append((ood_scores, "other photos (OOD)", COLORS[0]))
    edges = np.histogram_bin_edges(np.concatenate([scores for scores, *_ in sets]), bins=40)
    for scores, label, color in sets:
        sns.histplot(
            x=scores,
            bins=list(edges),
            stat="proportion",
            element="step",
            color=color,
            alpha=0.5,
            label=f"{label}: {len(scores)}",
            ax=axes,
        )
    if threshold is not None:
        axes.axvline(
            threshold, color="black", linestyle="--", label='threshold ("none of these" above it)'
        )
    axes.set(xlabel="OOD score", ylabel="share of the photos")
    axes.set_title("Out-of-distribution (OOD) scores")
    figure.legend(loc="outside lower center", ncols=2)
    save_figure(figure, path)
