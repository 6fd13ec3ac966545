"""Plot retrieval metrics with seaborn, in a color-blind-safe palette."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.palette import COLORS, MARKERS

# Which photos are queries, and which are candidates.
ALL, HELD_OUT, HELD_OUT_ONLY = "all_photos", "held_out", "held_out_only"
_LABELS = {
    ALL: "all photos, among all",
    HELD_OUT: "held-out photos, among all",
    HELD_OUT_ONLY: "held-out photos, among themselves",
}


def plot_precision_by_rank(curves: Mapping[str, np.ndarray], path: Path) -> None:
    """Plot precision@k (from `precision_by_rank`), a curve for each set of queries."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    table = pd.DataFrame({_LABELS.get(name, name): curve for name, curve in curves.items()})
    table.index += 1
    sns.lineplot(
        table,
        palette=list(COLORS[: len(curves)]),
        markers=list(MARKERS[: len(curves)]),
        dashes=False,
        ax=axes,
    )
    axes.set(xlabel="k", ylabel="precision@k", xticks=table.index)
    axes.set_title("Precision@k by species; photos of the query's encounter are left out")
    axes.set_ylim(top=1.005)
    axes.grid(alpha=0.3)
    sns.move_legend(axes, "upper center", bbox_to_anchor=(0.5, -0.16), frameon=False)
    save_figure(figure, path)


def plot_by_species(table: pd.DataFrame, path: Path) -> None:
    """Plot precision@10 and mAP@10 with 95% intervals of a table from `metrics_by_species`."""
    table = table[table["queries"] > 0]
    figure = Figure(figsize=(7, 1.8 + 0.5 * len(table)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(table))
    metrics = {"precision@10": "precision_at_10", "mAP@10": "map_at_10"}
    for offset, (label, name), color, marker in zip(
        (-0.12, 0.12), metrics.items(), COLORS, MARKERS, strict=False
    ):
        axes.hlines(rows + offset, table[f"{name}_low"], table[f"{name}_high"], color=color)
        sns.scatterplot(
            x=table[name], y=rows + offset, color=color, marker=marker, s=50, label=label, ax=axes
        )
    labels = [
        f"{name} ({count} queries)"
        for name, count in zip(table["species"], table["queries"], strict=True)
    ]
    # The names come from a table: a dollar sign must not start a formula.
    axes.set_yticks(rows, labels, parse_math=False)
    axes.invert_yaxis()
    axes.set(xlim=(None, 1.005), xlabel="mean over the species' photos, with 95% interval")
    axes.set_ylabel("")
    axes.grid(alpha=0.3)
    sns.move_legend(axes, "lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    save_figure(figure, path)
