"""Decode untrusted photo bytes to upright RGB images, within bounds of time and memory."""

import hashlib
import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from panthera_vision.errors import UserError
from panthera_vision.images.container_scan import ContainerInfo, scan_container
from panthera_vision.images.kinds import FORMATS, KINDS

MAXIMUM_BYTES = 50_000_000
MAXIMUM_PIXELS = 100_000_000
# Larger images are halved until they fit: no network sees a tenth of the pixels, and an uploaded
# photo must not fill the memory. Photos of 24 megapixels keep their size.
MAX_PIXELS_KEPT = 25_000_000
_MAX_MEMORY = 400_000_000  # bytes while one image is decoded
_MUCH_MEMORY = 200_000_000  # images that take more are decoded one at a time
_ONE_AT_A_TIME = Lock()
# Bytes a pixel of each format's decoder and its result, as measured (benchmarks/reliability.md). A
# JPEG is reduced while it is decoded; `scan_container` knows what it takes before.
_DECODER_BYTES = {"JPEG": 0, "MPO": 0, "WEBP": 15, "AVIF": 11, "HEIF": 7}
_OTHER_DECODER_BYTES = 4
_RESULT_BYTES = 4
# Resized to the height of a network's input, a line of pixels would fill the memory.
_MAX_ASPECT_RATIO = 20
_MAX_PARTS, _MAX_SCANS = 20_000, 100
_TILE_WIDTH, _TILE_HEIGHT, _USUAL_TILE = 322, 323, 1 << 24
END_MISSING = "end marker missing"
_JPEG_END = b"\xff\xd9"
_TAILS = (b"", b"\xb5" * 64, b"\x7a" * 64)
_MAX_PROBED_PIXELS = 1_000_000_000  # of all scans together
_STRIP = 64  # rows; a multiple of every reduction
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def ignore_pillow_warnings() -> None:
    """Filter Pillow's warnings of odd metadata and of many pixels, which `decode` refuses."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class PhotoError(ValueError):
    """Report an unusable photo; `reason` is a short phrase by which photos are counted."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def decode(
    data: bytes,
    *,
    maximum_pixels: int = MAXIMUM_PIXELS,
    min_decoded_side: int | None = None,
    is_end_required: bool = False,
) -> Image.Image:
    """Decode a file to an RGB image, upright by its EXIF orientation and without metadata.

    Animations give their first frame, transparency becomes white, 16-bit gray is scaled to 8 bits.
    Decompression bombs are refused before they are decoded: memory stays below half a gigabyte.
    A JPEG that has all its pixels and lacks only its end marker is read; `photo_note` says so.

    Args:
        data: the bytes of the file.
        maximum_pixels: larger images are refused.
        min_decoded_side: decode a JPEG at a reduced size, several times faster, with a shorter
            side of at least so many pixels; None for full size.
        is_end_required: refuse a JPEG without an end marker, as after a broken transfer.

    Raises:
        PhotoError: not an image, damaged, too narrow, or too many pixels or parts.
    """
    if not data:
        raise PhotoError("empty file")
    with _photo_errors():
        try:
            return _decode(data, maximum_pixels, min_decoded_side)
        except OSError:
            if is_end_required or not _lacks_only_end(data, maximum_pixels):
                raise
        image = _decode(data.rstrip(b"\xff") + _JPEG_END, maximum_pixels, min_decoded_side)
        image.info["note"] = END_MISSING
        return image


def photo_note(image: Image.Image) -> str:
    """Return what is odd about the file of a decoded image; empty for a flawless file."""
    return str(image.info.get("note", ""))


def _decode(data: bytes, maximum_pixels: int, min_decoded_side: int | None) -> Image.Image:
    image, memory = _open(data, maximum_pixels)
    with _ONE_AT_A_TIME if memory > _MUCH_MEMORY else nullcontext():
        return _upright_rgb(image, min_decoded_side)


def _lacks_only_end(data: bytes, maximum_pixels: int) -> bool:
    """Return whether a JPEG has the data of all its pixels, but no end marker.

    A decoder makes up pixels for missing data without an error, and what it makes up depends on
    the bytes that follow. Where all data is there, it skips them, and the pixels stay the same.
    """
    if not data.startswith(b"\xff\xd8"):
        return False
    image, _ = _open(data, maximum_pixels)
    container = scan_container(data, _MAX_PARTS)
    if image.width * image.height * container.scans > _MAX_PROBED_PIXELS:
        return False
    if not container.has_all_coefficients():  # cut between two scans
        return False
    whole = data.rstrip(b"\xff")
    digests = {
        hashlib.sha256(_decode(whole + tail + _JPEG_END, maximum_pixels, None).tobytes()).digest()
        for tail in _TAILS
    }
    return len(digests) == 1


def to_upright_rgb(image: Image.Image) -> Image.Image:
    """Return a copy of an open PIL image, upright by its EXIF orientation, in mode RGB.

    Raises:
        PhotoError: its pixels can't be decoded.
    """
    with _photo_errors():
        return _upright_rgb(image.copy(), None)


@contextmanager
def _photo_errors() -> Iterator[None]:
    """Turn whatever a decoder raises into a PhotoError."""
    try:
        yield
    except PhotoError:
        raise
    except UnidentifiedImageError:
        raise PhotoError("not a photo", f"it is none of {KINDS}") from None
    except Image.DecompressionBombError:
        raise PhotoError("too many pixels") from None
    except MemoryError:
        raise PhotoError("too many pixels", "out of memory") from None
    except Exception as error:
        # Decoders raise nearly anything on damaged data (OSError, SyntaxError, struct.error, …).
        raise PhotoError("broken photo", f"{type(error).__name__}: {error}") from error


def read_file(path: Path, maximum_bytes: int = MAXIMUM_BYTES) -> bytes:
    """Read a regular file of limited size.

    Raises:
        PhotoError: missing, unreadable, too large, or a pipe or device, which might never end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(f"{path} is not a regular file")
        with path.open("rb") as file:
            data = file.read(maximum_bytes + 1)
    except FileNotFoundError:
        raise PhotoError("file missing", str(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise PhotoError("file unreadable", str(error)) from None
    if len(data) > maximum_bytes:
        raise PhotoError("file too large", f"more than {maximum_bytes:,} bytes")
    return data


def read_photo(path: Path, min_decoded_side: int | None = None) -> Image.Image:
    """Read and decode a photo file.

    Raises:
        PhotoError: see `read_file` and `decode`.
    """
    return decode(read_file(path), min_decoded_side=min_decoded_side)


def open_photo(path: Path, min_decoded_side: int | None = None) -> Image.Image:
    """Read a photo that the pipeline downloaded; see `read_photo`.

    Raises:
        UserError: it can't be read.
    """
    try:
        return read_photo(path, min_decoded_side)
    except PhotoError as error:
        raise UserError(f"{path}: {error}; `dvc repro` downloads it again") from None


def as_jpeg(data: bytes) -> bytes:
    """Convert a photo to a JPEG file; return the same bytes for a JPEG that can be decoded.

    Raises:
        PhotoError: see `decode`; also where the end marker is missing.
    """
    image = decode(data, is_end_required=True)
    if data.startswith(b"\xff\xd8\xff"):
        return data
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=95)
    return buffer.getvalue()


def _open(data: bytes, maximum_pixels: int) -> tuple[Image.Image, float]:
    """Return the image with only its header read, and the bytes that decoding will take."""
    container = scan_container(data, _MAX_PARTS)
    if container.parts > _MAX_PARTS or container.scans > _MAX_SCANS:
        raise PhotoError("too many parts", f"{container.parts} parts, {container.scans} scans")
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    memory = _decoding_memory(image, container)
    if image.width * image.height > maximum_pixels or memory > _MAX_MEMORY:
        raise PhotoError("too many pixels", f"{image.width}×{image.height}")
    if max(image.size) > _MAX_ASPECT_RATIO * min(image.size):
        raise PhotoError("too narrow", f"{image.width}×{image.height}")
    if image.format == "TIFF":  # tiles are decoded whole, and may be larger than the image
        tags = getattr(image, "tag_v2", {})
        width, height = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
        if width * height > max(2 * image.width * image.height, _USUAL_TILE):
            raise PhotoError("too many pixels", f"in tiles of {width}×{height}")
    return image, memory


def _decoding_memory(image: Image.Image, container: ContainerInfo) -> float:
    """Estimate the bytes that decoding takes from the header alone."""
    pixels = image.width * image.height
    result = _RESULT_BYTES * pixels / _reduction(pixels) ** 2
    decoder = _DECODER_BYTES.get(image.format or "", _OTHER_DECODER_BYTES) + container.buffered
    if image.format == "TIFF" and _orientation(image) != 1:
        decoder *= 2  # Pillow turns it while loading
    return decoder * pixels + (2 * result if _is_jpeg(image) else result)


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")


def _orientation(image: Image.Image) -> int:
    orientation: int = image.getexif().get(ExifTags.Base.Orientation, 1)
    return orientation


def _reduction(pixels: int) -> int:
    """Return the power of two by which the sides are divided to keep `MAX_PIXELS_KEPT`."""
    factor = 1
    while pixels > factor * factor * MAX_PIXELS_KEPT:
        factor *= 2
    return factor


def _upright_rgb(image: Image.Image, min_decoded_side: int | None) -> Image.Image:
    """Convert to RGB strip by strip: 16-bit or transparent images would take memory five times."""
    factor = _reduction(image.width * image.height)
    if min_decoded_side and _is_jpeg(image):
        while min(image.size) >= 2 * factor * min_decoded_side:
            factor *= 2
    if factor > 1 and _is_jpeg(image):
        size = image.size
        image.draft(None, (image.width // factor, image.height // factor))
        factor = factor if image.size == size else 1  # the decoder reduces
    image.load()
    turn = _ORIENTATIONS.get(_orientation(image))
    upright = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for top in range(0, image.height, _STRIP):
        strip = _to_rgb(image.crop((0, top, image.width, min(top + _STRIP, image.height))))
        upright.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    del image, strip
    return upright.transpose(turn) if turn is not None else upright


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        gray = np.nan_to_num(np.asarray(image, dtype=np.float64))
        if image.mode != "F":
            gray = gray / 257  # 16 bits → 8
        return Image.fromarray(np.clip(gray, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")
