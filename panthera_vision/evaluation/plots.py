"""Pictures of an evaluation. Colours are safe for colour-blind eyes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from panthera_vision.files import write_whole


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole, the same bytes for the same figure."""
    FigureCanvasAgg(figure)
    with write_whole(path) as partial:
        figure.savefig(partial, format="png", dpi=150, metadata={"Software": None})


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
