"""Pictures of how good the search is. Colours are safe for colour-blind eyes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.palette import COLORS, MARKERS

# Which photos are searched with, and among which.
ALL, HELD_OUT, HELD_OUT_ONLY = "all_photos", "held_out", "held_out_only"
_LABELS = {
    ALL: "all photos, among all",
    HELD_OUT: "photos that the model was not trained on, among all",
    HELD_OUT_ONLY: "photos that the model was not trained on, among themselves",
}


def plot_precision_by_rank(curves: Mapping[str, np.ndarray], path: Path) -> None:
    """The share of hits among the first result, the first two, …, for each set of queries."""
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    for (name, values), colour, marker in zip(curves.items(), COLORS, MARKERS, strict=False):
        ranks = np.arange(1, len(values) + 1)
        label = _LABELS.get(name, name)
        axes.plot(ranks, values, color=colour, marker=marker, label=label)
    axes.set(xlabel="first results counted", ylabel="share of the query's species")
    axes.set_title("Photos searched with; their own encounter's photos are left out")
    axes.set_xticks(ranks)
    axes.set_ylim(top=1.005)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center")
    save_figure(figure, path)


def plot_by_species(table: pd.DataFrame, path: Path) -> None:
    """Each species' precision@10 and mAP@10 with their 95% intervals.

    Args:
        table: of `by_species`.
        path: the picture.
    """
    table = table[table["queries"] > 0]
    figure = Figure(figsize=(7, 1.8 + 0.5 * len(table)), layout="constrained")
    axes = figure.subplots()
    heights = np.arange(len(table))
    measures = {"precision@10": "precision_at_10", "mAP@10": "map_at_10"}
    for offset, (label, name), colour, marker in zip(
        (-0.12, 0.12), measures.items(), COLORS, MARKERS, strict=False
    ):
        at = heights + offset
        axes.hlines(at, table[f"{name}_low"], table[f"{name}_high"], color=colour)
        axes.plot(table[name], at, color=colour, marker=marker, linestyle="none", label=label)
    # Names come from a table: a dollar sign must not begin a formula.
    axes.set_yticks(
        heights,
        [
            f"{name} ({count} queries)"
            for name, count in zip(table["species"], table["queries"], strict=True)
        ],
        parse_math=False,
    )
    axes.invert_yaxis()
    axes.set(xlim=(None, 1.005), xlabel="mean over the species' photos, with its 95% interval")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    save_figure(figure, path)
