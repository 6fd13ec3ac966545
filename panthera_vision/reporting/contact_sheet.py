"""A sheet of photos as one picture. Colours are safe for colour-blind eyes."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from panthera_vision.reporting.figures import save_figure
from panthera_vision.reporting.thumbnails import Thumbnail

_COLUMNS = 6
# Inches.
_TILE_WIDTH, _TILE_HEIGHT, _TITLE_HEIGHT = 2.1, 2.7, 0.6
# That many fit beside each other below a photo.
_LETTERS = 28
# Okabe and Ito's blue and vermilion; a sign says the same.
_RIGHT, _WRONG = ("#0072B2", "✓"), ("#D55E00", "✗")


def save_contact_sheet(title: str, tiles: Sequence[Thumbnail], empty: str, path: Path) -> None:
    """Write a picture of all tiles, row by row; of the sentence `empty` where there are none.

    A tile shows the photo, framed by whether the prediction is right, its species → the predicted
    one, how sure the prediction is (or the tile's remark), and the photo's id.
    """
    rows = max(1, math.ceil(len(tiles) / _COLUMNS))
    size = (_COLUMNS * _TILE_WIDTH, rows * _TILE_HEIGHT + _TITLE_HEIGHT)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title)
    cells = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for cell in cells:
        cell.set_axis_off()
    if not tiles:
        figure.text(0.5, 0.45, empty, ha="center", va="center", fontsize=14)
    for cell, tile in zip(cells, tiles, strict=False):
        colour, sign = _RIGHT if tile.right else _WRONG
        cell.set_axis_on()
        cell.imshow(tile.thumbnail)
        cell.set(xticks=[], yticks=[])
        for edge in cell.spines.values():
            edge.set(color=colour, linewidth=3)
        # Names come from a table: a dollar sign must not begin a formula.
        cell.set_title(
            f"{_fitting(tile.species)}\n→ {_fitting(tile.predicted)}",
            fontsize=8,
            loc="left",
            parse_math=False,
        )
        cell.set_xlabel(
            f"{sign} {_fitting(tile.said)}\n{_fitting(tile.id)}",
            fontsize=8,
            color=colour,
            loc="left",
            parse_math=False,
        )
    save_figure(figure, path)


def _fitting(words: str) -> str:
    return words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"
