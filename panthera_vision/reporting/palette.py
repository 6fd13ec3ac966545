"""Define a color-blind-safe palette, with marker shapes as a second cue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Okabe and Ito, "Color Universal Design", 2008, without yellow and black, which have too little
# contrast on a light and on a dark page.
COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "#888888"
QUERY_COLOR = "#E6007E"  # readable on a light and on a dark page
# By their names in Matplotlib and in Vega.
MARKERS = ("s", "o", "^", "D", "v")
_SHAPES = ("square", "circle", "triangle-up", "diamond", "triangle-down")


class VerdictStyle(NamedTuple):
    """Hold the color and the sign of correct or wrong predictions."""

    color: str
    sign: str


CORRECT, WRONG = VerdictStyle(COLORS[1], "✓"), VerdictStyle(COLORS[0], "✗")


@dataclass(frozen=True)
class MarkerStyle:
    """Hold a species' marker: its color, and its shape as Vega and as Matplotlib name it."""

    color: str
    shape: str
    marker: str


def marker_styles(species: Sequence[str]) -> dict[str, MarkerStyle]:
    """Assign a marker to each species, in order; the first 30 are all different."""
    return {
        name: MarkerStyle(
            COLORS[number % len(COLORS)],
            _SHAPES[number % len(_SHAPES)],
            MARKERS[number % len(MARKERS)],
        )
        for number, name in enumerate(species)
    }
