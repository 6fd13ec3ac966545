"""Draw a contact sheet: a grid of captioned thumbnails as one PNG."""

import math
from pathlib import Path

from matplotlib.figure import Figure

from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.palette import CORRECT, WRONG
from panthera_vision.reporting.thumbnails import Section

_COLUMNS = 6
# Inches.
_CELL_WIDTH, _CELL_HEIGHT, _TITLE_HEIGHT = 2.1, 2.7, 0.6
# Letters that fit beneath a thumbnail.
_LETTERS = 28


def save_contact_sheet(section: Section, path: Path) -> None:
    """Write a contact sheet as PNG, or the text `section.empty` if there are no thumbnails.

    Each cell shows the thumbnail in a frame of the color of correct or wrong predictions, its
    species → the predicted one, the caption and the photo's id.
    """
    rows = max(1, math.ceil(len(section.thumbnails) / _COLUMNS))
    size = (_COLUMNS * _CELL_WIDTH, rows * _CELL_HEIGHT + _TITLE_HEIGHT)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(section.title)
    cells = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for cell in cells:
        cell.set_axis_off()
    if not section.thumbnails:
        figure.text(0.5, 0.45, section.empty, ha="center", va="center", fontsize=14)
    for cell, thumbnail in zip(cells, section.thumbnails, strict=False):
        verdict = CORRECT if thumbnail.is_correct else WRONG
        # The names come from a table: a dollar sign must not start a formula.
        text = {"fontsize": 8, "loc": "left", "parse_math": False}
        cell.set_axis_on()
        cell.imshow(thumbnail.pixels)
        cell.set(xticks=[], yticks=[])
        for edge in cell.spines.values():
            edge.set(color=verdict.color, linewidth=3)
        cell.set_title(f"{_short(thumbnail.species)}\n→ {_short(thumbnail.predicted)}", **text)
        cell.set_xlabel(
            f"{verdict.sign} {_short(thumbnail.caption)}\n{_short(thumbnail.id)}",
            color=verdict.color,
            **text,
        )
    save_figure(figure, path)


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
