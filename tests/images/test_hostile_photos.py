"""Decompression bombs and other hostile files are refused; odd but harmless photos are read."""

import io
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from panthera_vision.images import decoding
from panthera_vision.images.container_scan import scan_container
from panthera_vision.images.decoding import PhotoError, as_jpeg, decode, read_photo

from ..conftest import draw_photo
from .fuzzing import DecodingChild, encoded

PHOTO = draw_photo("Panthera leo", 0, (60, 40))
JPEG, PNG = encoded(PHOTO, "JPEG"), encoded(PHOTO, "PNG")
GIF = encoded(PHOTO.convert("P"), "GIF")
# The offset of its first image, after the header, the palette and extensions.
GIF_PICTURE = GIF.index(b",", 13 + 3 * 2 ** ((GIF[10] & 7) + 1))


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def segment(marker: int, content: bytes = b"") -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def of_many_scans(count: int, size: tuple[int, int] = (60, 40)) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = encoded(Image.new("RGB", size, "tan"), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


def tiff_of_tiles(width: int, height: int) -> bytes:
    """A TIFF of 64 × 64 pixels in one tile of another size, of zeros."""
    packed = zlib.compress(bytes(1000))
    tags = {256: 64, 257: 64, 258: 8, 259: 8, 262: 1, 277: 1, 322: width, 323: height}
    end = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = [*tags.items(), (324, end), (325, len(packed))]
    listed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + listed + bytes(4) + packed


def after_header(data: bytes, at: int, more: bytes) -> bytes:
    return data[:at] + more + data[at:]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no bytes": (lambda: b"", "empty file"),
    "HTML": (lambda: b"<!doctype html><title>Not found</title>", "not a photo"),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a photo"),
    "PDF": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "not a photo"),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a photo"),
    "half a JPEG": (lambda: JPEG[: len(JPEG) // 2], "broken photo"),
    "half a PNG": (lambda: PNG[: len(PNG) // 2], "broken photo"),
    "a PNG of 400 megapixels in 50 KB": (
        lambda: encoded(Image.new("1", (20_000, 20_000)), "PNG"),
        "too many pixels",
    ),
    "a GIF whose frame is larger than it": (
        lambda: GIF[: GIF_PICTURE + 5] + b"\xff\xff\xff\xff" + GIF[GIF_PICTURE + 9 :],
        "too many pixels",
    ),
    "a line of 30,000 pixels": (
        lambda: encoded(Image.new("RGB", (30_000, 1)), "PNG"),
        "too narrow",
    ),
    "a line of 70,000 pixels": (
        lambda: encoded(Image.new("L", (70_000, 2)), "PNG"),
        "too narrow",
    ),
    "a JPEG of 20,000 scans": (lambda: of_many_scans(20_000), "too many parts"),
    "a JPEG of a million comments": (
        lambda: after_header(JPEG, 2, segment(0xFE) * 1_000_000),
        "too many parts",
    ),
    "a JPEG with 10 MB of filling": (
        lambda: after_header(JPEG, 2, b"\xff" * 10_000_000),
        "too many parts",
    ),
    "a PNG of a million chunks": (
        lambda: after_header(PNG, 33, chunk(b"prVt") * 1_000_000),
        "too many parts",
    ),
    "a GIF of a million comments": (
        lambda: after_header(GIF, GIF_PICTURE, b"\x21\xfe\x01a\0" * 1_000_000),
        "too many parts",
    ),
    "a GIF with 10 MB of nothing": (
        lambda: after_header(GIF, GIF_PICTURE, bytes(10_000_000)),
        "too many parts",
    ),
    "a TIFF with a tile of 1.6 gigapixels": (
        lambda: tiff_of_tiles(40_000, 40_000),
        "too many pixels",
    ),
    "a PNG with 500 MB of text in 500 KB": (
        lambda: after_header(PNG, 33, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(500_000_000)))),
        "broken photo",
    ),
    "a PNG with 500 MB of profile in 500 KB": (
        lambda: after_header(PNG, 33, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(500_000_000)))),
        "broken photo",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_hostile_files_are_refused_within_two_seconds(tmp_path: Path, name: str) -> None:
    make, reason = REFUSED[name]
    path = tmp_path / "photo.jpg"
    path.write_bytes(make())
    began = time.perf_counter()
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    assert caught.value.reason == reason
    assert time.perf_counter() - began < 2


ACCEPTED: dict[str, Callable[[], bytes]] = {
    "a PNG named .jpg": lambda: PNG,
    "with 300 segments of EXIF": lambda: after_header(
        JPEG, 2, segment(0xE1, b"Exif\0\0" + bytes(65_000)) * 300
    ),
    "with 16 MB of colour profile": lambda: after_header(
        JPEG,
        2,
        b"".join(
            segment(0xE2, b"ICC_PROFILE\0" + bytes([n, 255]) + bytes(65_000)) for n in range(1, 256)
        ),
    ),
    "with a film behind it": lambda: JPEG + b"\xff\xda" * 100_000,
    "of 60 scans": lambda: of_many_scans(50),
    "of 10,000 chunks": lambda: after_header(PNG, 33, chunk(b"prVt") * 10_000),
    "with a loop in its EXIF": lambda: after_header(
        JPEG,
        2,
        segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08"),
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_but_harmless_files_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(ACCEPTED[name]())
    began = time.perf_counter()
    assert read_photo(path).size == (60, 40)
    assert time.perf_counter() - began < 2


def test_scans_of_a_jpeg_are_counted() -> None:
    assert scan_container(JPEG, 1000).scans == 1
    assert scan_container(JPEG, 1000).buffered == 0
    progressive = encoded(PHOTO, "JPEG", progressive=True)
    assert scan_container(progressive, 1000).scans == 10
    assert scan_container(progressive, 1000).buffered == 3  # bytes a pixel, of 4:2:0
    whole = encoded(PHOTO, "JPEG", progressive=True, subsampling=0)
    assert scan_container(whole, 1000).buffered == 6
    assert scan_container(of_many_scans(500), 1000).scans == 510


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_applied_as_pillow_does(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(draw_photo("Panthera onca", 1, (90, 150)), "PNG", exif=exif)
    with Image.open(io.BytesIO(data)) as picture:
        expected = ImageOps.exif_transpose(picture).convert("RGB")
    assert np.array_equal(np.asarray(decode(data)), np.asarray(expected))


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "RGB", "I;16"])
def test_conversion_by_strips_equals_conversion_of_the_whole(mode: str) -> None:
    photo = draw_photo("Panthera tigris", 2, (70, 200))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(photo.convert("L"), dtype=np.uint16) * 257)
    else:
        picture = photo.convert(mode)
    if mode in ("LA", "RGBA"):
        picture.putalpha(photo.convert("L"))
        ground = Image.new("RGBA", photo.size, "white")
        expected = Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    else:
        expected = (photo.convert("L") if mode == "I;16" else picture).convert("RGB")
    assert np.array_equal(np.asarray(decode(encoded(picture, "PNG"))), np.asarray(expected))


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_only_very_large_images_are_reduced(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(PHOTO.resize((600, 400)), format)
    assert decode(data).size == (600, 400)
    monkeypatch.setattr(decoding, "MAX_PIXELS_KEPT", 600 * 400 - 1)
    assert decode(data).size == (300, 200)
    small = np.asarray(PHOTO.resize((300, 200)), float)
    assert np.abs(np.asarray(decode(data), float) - small).mean() < 8
    monkeypatch.setattr(decoding, "MAX_PIXELS_KEPT", 6_000)
    assert decode(data).size == (75, 50)


def test_a_very_large_jpeg_is_stored_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS_KEPT", 1000)
    assert as_jpeg(JPEG) == JPEG


def test_metadata_are_removed() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    picture = decode(encoded(PHOTO, "JPEG", exif=exif, comment=b"where I live"))
    assert not picture.info
    assert not picture.getexif()


def flat(mode: str, megapixels: float) -> Image.Image:
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    return Image.new(mode, (width, width * 3 // 4))


ROTATED = Image.Exif()
ROTATED[0x0112] = 6
# The largest images that are accepted, or nearly, for each way in which a decoder uses memory.
LARGEST: dict[str, Callable[[], bytes]] = {
    "JPEG, 99 megapixels": lambda: encoded(flat("RGB", 99), "JPEG"),
    "JPEG, 99 megapixels, turned": lambda: encoded(flat("RGB", 99), "JPEG", exif=ROTATED),
    "JPEG of 4 inks, 99 megapixels": lambda: encoded(flat("CMYK", 99), "JPEG"),
    "JPEG, progressive, 79 megapixels": lambda: encoded(flat("RGB", 79), "JPEG", progressive=True),
    "JPEG, progressive, unreduced colour, 49 megapixels": lambda: encoded(
        flat("RGB", 49), "JPEG", progressive=True, subsampling=0
    ),
    "PNG with transparency, 79 megapixels": lambda: encoded(flat("RGBA", 79), "PNG"),
    "PNG with transparency, 24 megapixels, turned": lambda: encoded(
        flat("RGBA", 24), "PNG", exif=ROTATED
    ),
    "PNG of 16 bits, 79 megapixels": lambda: encoded(flat("I;16", 79), "PNG"),
    "PNG, black and white, 79 megapixels": lambda: encoded(flat("1", 79), "PNG"),
    "GIF, 79 megapixels": lambda: encoded(flat("P", 79), "GIF"),
    "WebP, 21 megapixels": lambda: encoded(flat("RGB", 21), "WEBP"),
    "WebP with transparency, 21 megapixels": lambda: encoded(flat("RGBA", 21), "WEBP"),
    "TIFF of 32-bit numbers, 79 megapixels": lambda: encoded(
        flat("F", 79), "TIFF", compression="tiff_lzw"
    ),
    "TIFF of 4 inks, 79 megapixels": lambda: encoded(
        flat("CMYK", 79), "TIFF", compression="tiff_lzw"
    ),
    "TIFF, 44 megapixels, turned": lambda: encoded(
        flat("RGB", 44), "TIFF", compression="tiff_lzw", exif=ROTATED
    ),
    "HEIF, 49 megapixels": lambda: encoded(flat("RGB", 49), "HEIF"),
    "HEIF with transparency, 49 megapixels": lambda: encoded(flat("RGBA", 49), "HEIF"),
    "JPEG, progressive, 79 megapixels, 100 scans": lambda: of_many_scans(90, (10_264, 7_698)),
}


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_images_stay_within_the_memory_limit(tmp_path: Path, name: str) -> None:
    data = LARGEST[name]()
    with DecodingChild(tmp_path, longest_seconds=120) as child:
        assert child.take(data) == "picture"
        slowest, peak = child.slowest, child.peak()
    # Each was decoded three times: for the app, for the stages, and to be stored as JPEG.
    print(f"\n| {name} | {len(data) / 1e6:.1f} MB | {peak} MiB | {slowest / 3:.1f} s |")
    assert peak < 512
