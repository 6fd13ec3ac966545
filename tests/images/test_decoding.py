"""Decoding: formats, EXIF orientation, modes, reasons of failures, reduced JPEG decoding."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from panthera_vision.images.decoding import (
    END_MISSING,
    PhotoError,
    as_jpeg,
    decode,
    photo_note,
    read_photo,
)
from panthera_vision.images.kinds import FORMATS, KINDS
from panthera_vision.models.backbones import find_backbone

from ..conftest import draw_photo


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return buffer.getvalue()


PHOTO = draw_photo("Panthera leo", 0, (60, 40))
JPEG = encoded(PHOTO, "JPEG", quality=90)


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_decodes_to_the_same_rgb_image(format: str) -> None:
    picture = decode(encoded(PHOTO, format))
    assert (picture.mode, picture.size) == ("RGB", (60, 40))
    assert np.abs(np.asarray(picture, float) - np.asarray(PHOTO, float)).mean() < 20


@pytest.mark.parametrize("format", ["JPEG", "HEIF", "AVIF", "WEBP", "PNG", "TIFF"])
def test_exif_orientation_is_applied_once(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    turned = decode(encoded(PHOTO, format, exif=exif.tobytes() if format == "HEIF" else exif))
    upright = PHOTO.transpose(Image.Transpose.ROTATE_270)
    assert turned.size == upright.size
    assert np.abs(np.asarray(turned, float) - np.asarray(upright, float)).mean() < 20


def test_transparency_becomes_white() -> None:
    clear = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    assert decode(encoded(clear, "PNG")).getpixel((4, 4)) == (255, 255, 255)
    palette = Image.new("P", (8, 8), 0)
    assert decode(encoded(palette, "PNG", transparency=0)).getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "CMYK", "1", "LA", "P"])
def test_other_modes_become_rgb(mode: str) -> None:
    format = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(encoded(PHOTO.convert(mode), format)).mode == "RGB"


def test_16_bit_gray_is_scaled_not_clipped() -> None:
    grey = Image.fromarray(np.full((8, 8), 32768, np.uint16))
    assert decode(encoded(grey, "PNG")).getpixel((0, 0)) == pytest.approx((127, 127, 127), abs=1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<html><body>moved</body></html>", "not a photo"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a photo"),
        (JPEG[: len(JPEG) // 2], "broken photo"),
        (JPEG[:30], "broken photo"),
        (JPEG[:3], "not a photo"),
    ],
)
def test_files_that_are_no_photos_are_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PhotoError) as caught:
        decode(data)
    assert caught.value.reason == reason


@pytest.mark.parametrize("format", ["AVIF", "HEIF"])
def test_a_file_that_calls_itself_mif1_is_read_by_the_decoder_that_can(format: str) -> None:
    data = encoded(PHOTO, format)
    assert decode(data[:8] + b"mif1" + data[12:]).size == PHOTO.size


def test_a_refused_file_is_told_which_kinds_are_read() -> None:
    with pytest.raises(PhotoError, match=KINDS):
        decode(b"%PDF-1.7")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("tail", [b"", b"\xff", b"\xff\xff", bytes(4096)])
def test_a_jpeg_that_lacks_only_its_end_marker_is_read_whole(
    options: dict[str, object], tail: bytes
) -> None:
    photo = draw_photo("Panthera leo", 0, (160, 120))
    data = encoded(photo, "JPEG", quality=90, **options)
    for side in (None, 40):
        image = decode(data[:-2] + tail, min_decoded_side=side)
        assert image.tobytes() == decode(data, min_decoded_side=side).tobytes()
        if not tail.endswith(b"\0"):  # Pillow takes anything for the end of a baseline JPEG
            assert photo_note(image) == END_MISSING
    assert photo_note(decode(data)) == photo_note(decode(data + b"film")) == ""


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_that_lacks_pixels_is_refused(options: dict[str, object]) -> None:
    data = encoded(draw_photo("Panthera leo", 0, (160, 120)), "JPEG", quality=90, **options)
    last_scan = len(data) - data.rindex(b"\xff\xda")  # of three without progressive, or of ten
    cuts = [10, 20, 50, 100, len(data) // 4, len(data) // 2]
    for cut in [*cuts, last_scan, last_scan - 1] if "progressive" in options else cuts:
        with pytest.raises(PhotoError) as caught:
            decode(data[:-cut])
        assert caught.value.reason == "broken photo"


def test_the_download_refuses_a_jpeg_without_its_end_as_a_broken_transfer() -> None:
    with pytest.raises(PhotoError, match="broken photo"):
        as_jpeg(JPEG[:-2])


@pytest.mark.slow
def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 200_000
    with pytest.raises(PhotoError, match="too many pixels"):
        decode(bomb)


@given(st.data())
def test_damaged_bytes_give_an_image_or_a_reason(data: st.DataObject) -> None:
    damaged = bytearray(JPEG)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(damaged))
    except PhotoError as error:
        assert error.reason
    else:
        assert picture.mode == "RGB"


def test_a_jpeg_keeps_its_bytes_and_other_formats_become_jpeg() -> None:
    assert as_jpeg(JPEG) == JPEG
    made = as_jpeg(encoded(PHOTO, "PNG"))
    assert made.startswith(b"\xff\xd8\xff")
    assert decode(made).size == PHOTO.size


def test_missing_files_and_folders_have_a_reason(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "no.jpg", "file missing"), (tmp_path, "file unreadable")):
        with pytest.raises(PhotoError) as caught:
            read_photo(path)
        assert caught.value.reason == reason


@given(width=st.integers(20, 400), height=st.integers(20, 400), wanted=st.integers(1, 300))
def test_a_reduced_jpeg_is_no_smaller_than_min_decoded_side(
    width: int, height: int, wanted: int
) -> None:
    data = encoded(Image.new("RGB", (width, height), "red"), "JPEG")
    try:
        whole = decode(data)
    except PhotoError:
        return  # too narrow
    reduced = decode(data, min_decoded_side=wanted)
    assert min(reduced.size) >= min(wanted, *whole.size)
    for side, original in zip(reduced.size, whole.size, strict=True):
        assert any(side == -(-original // factor) for factor in (1, 2, 4, 8))
    # And no larger than necessary.
    assert min(reduced.size) <= 2 * wanted or min(reduced.size) <= -(-min(whole.size) // 8)


def test_reduced_decoding_hardly_changes_the_input_of_a_network() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = draw_photo("Panthera leo", 0, (1600, 1200))
    data = encoded(photo, "JPEG", quality=90, exif=exif)
    preprocessing = find_backbone("efficientnet_lite0", image_size=64).preprocessing
    whole, reduced = decode(data), decode(data, min_decoded_side=preprocessing.min_decoded_side)
    assert reduced.size == (150, 200) and whole.size == (1200, 1600)
    difference = (preprocessing(whole) - preprocessing(reduced)).abs()
    assert difference.mean() < 0.02  # of a standard deviation
    # Other formats keep their size.
    assert decode(encoded(photo, "PNG"), min_decoded_side=10).size == (1600, 1200)
