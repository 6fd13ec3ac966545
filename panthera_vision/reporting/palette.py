"""Colours that colour-blind eyes tell apart, and shapes for those who see none."""

from collections.abc import Sequence
from dataclasses import dataclass

# Okabe and Ito, "Color Universal Design", 2008, without the yellow and the black, which drown in
# a light or a dark page.
COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# By their names in Matplotlib and in Vega.
MARKERS = ("s", "o", "^", "D", "v")
_SHAPES = ("square", "circle", "triangle-up", "diamond", "triangle-down")


@dataclass(frozen=True)
class MarkerStyle:
    """How a species looks on a map: its shape by its names in Vega and in Matplotlib."""

    colour: str
    shape: str
    marker: str


def marker_styles(species: Sequence[str]) -> dict[str, MarkerStyle]:
    """A mark for each species, in the order given; up to 30 are all different."""
    return {
        name: MarkerStyle(
            COLORS[number % len(COLORS)],
            _SHAPES[number % len(_SHAPES)],
            MARKERS[number % len(MARKERS)],
        )
        for number, name in enumerate(species)
    }
