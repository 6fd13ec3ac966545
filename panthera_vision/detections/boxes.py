"""Boxes of a detector: check them, and cut the square around one out of its photo."""

import math
from dataclasses import dataclass
from typing import Any, TypeGuard

from PIL import Image

from panthera_vision.images.decoding import PhotoError

DEFAULT_MARGIN = 0.15
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Box:
    """Hold a rectangle in an upright photo, as fractions of the photo's width and height.

    Attributes:
        x: of the left edge.
        y: of the upper edge.
        width: above 0.
        height: above 0.
    """

    x: float
    y: float
    width: float
    height: float


WHOLE_PHOTO = Box(0.0, 0.0, 1.0, 1.0)


def parse_box(value: Any) -> Box:
    """Return the part of a box `[x, y, width, height]` (fractions) that lies in the photo.

    Raises:
        PhotoError: it is no such list, has no area, or lies outside.
    """
    if not isinstance(value, list | tuple) or len(value) != 4 or not all(map(is_number, value)):
        raise PhotoError("invalid box")
    x, y, width, height = map(float, value)
    if width <= 0 or height <= 0:
        raise PhotoError("box without area")
    (left, width), (top, height) = _within(x, width), _within(y, height)
    if width <= 0 or height <= 0:
        raise PhotoError("box outside the photo")
    return Box(left, top, width, height)


def _within(begin: float, extent: float) -> tuple[float, float]:
    """Return begin and extent of the part from 0 to 1; the same numbers where it is all of it."""
    if begin >= 0 and begin + extent <= 1 + _ROUNDING:
        return begin, extent
    left = max(begin, 0.0)
    return left, min(begin + extent, 1.0) - left


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether a value of a JSON file is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 1 << 53


def crop_square(photo: Image.Image, box: Box, margin: float = DEFAULT_MARGIN) -> Image.Image:
    """Cut the square around a box out of an upright RGB photo; nothing is squeezed.

    The square's side is the longer side of the box plus `margin` times that side at either end.
    It is moved into the photo where it juts out. Where the photo is smaller than the square, what
    lies in the photo is returned: to fill the rest, by reflection or a colour, made the accuracy
    lower (benchmarks/detections.md).

    Args:
        photo: upright, mode RGB.
        box: of the animal.
        margin: a fraction of the longer side.
    """
    left, top, side = square_around(photo.size, box, margin)
    right, bottom = min(left + side, photo.width), min(top + side, photo.height)
    return photo.crop((max(left, 0), max(top, 0), right, bottom))


def square_around(size: tuple[int, int], box: Box, margin: float) -> tuple[int, int, int]:
    """Return left, top and side, in pixels, of the square that `crop_square` cuts out.

    Args:
        size: width and height of the photo in pixels.
        box: of the animal.
        margin: a fraction of the box's longer side.
    """
    side = max(1, round(max(box.width * size[0], box.height * size[1]) * (1 + 2 * margin)))
    begins = []
    for length, begin, extent in zip(size, (box.x, box.y), (box.width, box.height), strict=True):
        wanted = round((begin + extent / 2) * length - side / 2)
        spare = length - side
        # In the middle where the photo is too small, else within it.
        begins.append(spare // 2 if spare < 0 else min(max(wanted, 0), spare))
    return begins[0], begins[1], side
