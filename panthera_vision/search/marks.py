"""How species look on a map: a colour and a shape each, told apart by colour-blind eyes."""

from collections.abc import Sequence
from dataclasses import dataclass

# Okabe and Ito's colours, without the yellow and the black, which drown in a light or a dark page.
_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2")
# The same shapes by their names in Vega and in Matplotlib.
_SHAPES = (
    ("circle", "o"),
    ("square", "s"),
    ("triangle-up", "^"),
    ("diamond", "D"),
    ("triangle-down", "v"),
)


@dataclass(frozen=True)
class Mark:
    """A species' look."""

    colour: str
    shape: str
    marker: str


def marks_of(species: Sequence[str]) -> dict[str, Mark]:
    """A mark for each species, in the order given; up to 30 are all different."""
    marks = {}
    for number, name in enumerate(species):
        shape, marker = _SHAPES[number % len(_SHAPES)]
        marks[name] = Mark(_COLOURS[number % len(_COLOURS)], shape, marker)
    return marks
