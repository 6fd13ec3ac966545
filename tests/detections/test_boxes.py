"""Boxes: what is refused, and the square that is cut out of a photo."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from panthera_vision.detections.boxes import Box, crop_square, parse_box, square_around
from panthera_vision.images.decoding import PhotoError


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([0.1, 0.1, 0.0, 0.5], "box without area"),
        ([0.1, 0.1, 0.5, -0.5], "box without area"),
        ([0.1, float("nan"), 0.5, 0.5], "invalid box"),
        ([0.1, float("inf"), 0.5, 0.5], "invalid box"),
        (["0.1", 0.1, 0.5, 0.5], "invalid box"),
        ([True, 0.1, 0.5, 0.5], "invalid box"),
        ([0.1, 0.1, 0.5], "invalid box"),
        ([10**400, 0.1, 0.5, 0.5], "invalid box"),
        (None, "invalid box"),
        ([1.0, 0.1, 0.5, 0.5], "box outside the photo"),
        ([120, 80, 300, 200], "box outside the photo"),  # pixels
    ],
)
def test_boxes_of_no_use_are_refused_with_a_reason(value: Any, reason: str) -> None:
    with pytest.raises(PhotoError) as refused:
        parse_box(value)
    assert refused.value.reason == reason


def test_a_box_that_juts_out_is_cut_at_the_border() -> None:
    assert parse_box([-0.25, 0.5, 0.5, 0.75]) == Box(0.0, 0.5, 0.25, 0.5)
    # Another one keeps its numbers, without the error of an addition.
    assert parse_box([0.1, 0.3, 0.2, 0.7]) == Box(0.1, 0.3, 0.2, 0.7)


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.tuples(*[st.floats(0, 0.999)] * 2),
    st.floats(0.001, 1),
    st.floats(0.001, 1),
    st.floats(0, 1),
)
def test_the_crop_is_a_square_that_holds_the_box_where_the_photo_is_large_enough(
    width: int, height: int, corner: tuple[float, float], w: float, h: float, margin: float
) -> None:
    box = Box(*corner, min(w, 1 - corner[0]), min(h, 1 - corner[1]))
    crop = crop_square(Image.new("RGB", (width, height), "gray"), box, margin)
    left, top, side = square_around((width, height), box, margin)
    assert crop.size == (min(side, width), min(side, height))
    for begin, length, start, extent in (
        (left, width, box.x, box.width),
        (top, height, box.y, box.height),
    ):
        assert begin <= start * length + 1 and begin + side >= (start + extent) * length - 1
        # Within the photo where it is large enough.
        assert side > length or 0 <= begin <= begin + side <= length


def test_a_crop_at_the_border_is_moved_into_the_photo_and_nothing_is_squeezed() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:20, :40] = (255, 0, 0)  # twice as wide as high
    crop = np.asarray(crop_square(Image.fromarray(pixels), Box(0, 0, 0.2, 0.2), 0.0))
    assert crop.shape == (40, 40, 3)
    assert (crop[:20, :, 0] == 255).all() and (crop[20:, :, 0] == 0).all()
