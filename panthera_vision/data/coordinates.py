"""Generalize coordinates, so that nobody finds an endangered animal by them."""

from typing import Literal

Coordinates = Literal["exact", "obscured", "none"]
# About 11 km. Chapman, "Current Best Practices for Generalizing Sensitive Species Occurrence Data",
# GBIF (2020), gives it for species of high sensitivity.
_OBSCURED_DECIMALS = 1
_DECIMALS = 6  # a tenth of a meter


def generalize(degrees: float | None, coordinates: Coordinates) -> float | None:
    """Return a coordinate as it may be shown: exact, to a tenth of a degree, or not at all.

    >>> generalize(-2.3333333, "obscured"), generalize(-2.3333333, "none") is None
    (-2.3, True)
    """
    if degrees is None or coordinates == "none":
        return None
    return round(degrees, _DECIMALS if coordinates == "exact" else _OBSCURED_DECIMALS)
