"""Untrusted bytes → an upright RGB picture, within bounds, or a reason why not."""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, UnidentifiedImageError

from panthera_vision.errors import UserError
from panthera_vision.images.container_scan import ContainerInfo, scan_container

# Only these decoders are tried: Pillow knows some fifty formats, most of them no photos.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF")
MAXIMUM_BYTES = 50_000_000
MAXIMUM_PIXELS = 100_000_000
# Larger pictures are halved until they are no larger: no network sees a tenth of that, and a
# visitor's photo must not fill the memory. Photos of 24 megapixels are left as they are.
MOST_PIXELS_KEPT = 25_000_000
_MAXIMUM_MEMORY = 400_000_000  # bytes, while one picture is decoded
# Pictures that take more wait for each other, whoever sent them.
_MUCH_MEMORY = 200_000_000
_ONE_AT_A_TIME = Lock()
# What a format's decoder takes for itself and for its answer, measured: docs/reliability.md. A
# JPEG is reduced while it is decoded; what it takes before that, `scan_container` knows.
_BYTES_A_PIXEL = {"JPEG": 0, "MPO": 0, "PNG": 4, "GIF": 4, "BMP": 4, "TIFF": 4, "WEBP": 15}
_OTHERWISE = 7
_OF_A_RESULT = 4
# Sides in proportion: resized to a network's height, a line of pixels would fill the memory.
_NARROWEST = 20
_MOST_PARTS, _MOST_SCANS = 20_000, 100
_TILE_WIDTH, _TILE_HEIGHT, _USUAL_TILE = 322, 323, 1 << 24
_STRIP = 64  # rows; a multiple of every reduction
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

pillow_heif.register_heif_opener()


def ignore_pillow_warnings() -> None:
    """Filter Pillow's warnings of many pixels, which `decode` refuses, and of odd metadata."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class PhotoError(ValueError):
    """A photo that can't be used. `reason` is a short phrase fit for counting."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def decode(
    data: bytes, *, maximum_pixels: int = MAXIMUM_PIXELS, min_decoded_side: int | None = None
) -> Image.Image:
    """The picture in `data`, turned upright by its EXIF orientation, in mode RGB.

    The first frame of an animation counts; transparency is laid on white; 16-bit grey is scaled.
    Metadata are left out. No more than half a gigabyte is needed at any time.

    Args:
        data: a file's bytes.
        maximum_pixels: more are refused.
        min_decoded_side: a JPEG may come smaller, which is several times faster, but with its
            shorter side no shorter than this; None for all its pixels.

    Raises:
        PhotoError: no picture, a broken or very narrow one, or one of too many pixels or parts.
    """
    if not data:
        raise PhotoError("empty file")
    with _photo_errors():
        picture, memory = _open(data, maximum_pixels)
        with _ONE_AT_A_TIME if memory > _MUCH_MEMORY else nullcontext():
            return _upright_rgb(picture, min_decoded_side)


def to_upright_rgb(picture: Image.Image) -> Image.Image:
    """Return a copy of an open PIL image, turned upright by its EXIF orientation, in mode RGB.

    Raises:
        PhotoError: its pixels can't be decoded.
    """
    with _photo_errors():
        return _upright_rgb(picture.copy(), None)


@contextmanager
def _photo_errors() -> Iterator[None]:
    """Turn whatever a decoder raises into a PhotoError."""
    try:
        yield
    except PhotoError:
        raise
    except UnidentifiedImageError:
        raise PhotoError("not a photo") from None
    except Image.DecompressionBombError:
        raise PhotoError("too many pixels") from None
    except MemoryError:
        raise PhotoError("too many pixels", "out of memory") from None
    except Exception as error:
        # Decoders raise nearly anything on broken data (OSError, SyntaxError, struct.error, …).
        raise PhotoError("broken photo", f"{type(error).__name__}: {error}") from error


def read_photo(path: Path, min_decoded_side: int | None = None) -> Image.Image:
    """The photo in a file; see `decode`.

    Raises:
        PhotoError: also where the file is missing, unreadable or larger than `MAXIMUM_BYTES`.
    """
    try:
        status = path.stat()
        if status.st_size > MAXIMUM_BYTES:
            raise PhotoError("file too large", f"{status.st_size:,} bytes")
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device could be waited for without end
            raise PhotoError("file unreadable", f"{path} is no file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise PhotoError("file missing", str(path)) from None
    except (OSError, ValueError) as error:  # of a name with a null character, too
        raise PhotoError("file unreadable", str(error)) from None
    return decode(data, min_decoded_side=min_decoded_side)


def open_photo(path: Path, min_decoded_side: int | None = None) -> Image.Image:
    """Read a photo that the pipeline downloaded; see `read_photo`.

    Raises:
        UserError: it can't be read.
    """
    try:
        return read_photo(path, min_decoded_side)
    except PhotoError as error:
        raise UserError(f"{path}: {error}; `dvc repro` fetches it again") from None


def as_jpeg(data: bytes) -> bytes:
    """Bytes of a JPEG file with the photo in `data`: the same bytes where they are one already.

    Raises:
        PhotoError: see `decode`.
    """
    picture = decode(data)
    if data.startswith(b"\xff\xd8\xff"):
        return data
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=95)
    return buffer.getvalue()


def _open(data: bytes, maximum_pixels: int) -> tuple[Image.Image, float]:
    """The picture with its header read and no pixel yet, and the memory that it will take.

    Raises:
        PhotoError: it would take too much memory or time.
    """
    structure = scan_container(data, _MOST_PARTS)
    if structure.parts > _MOST_PARTS or structure.scans > _MOST_SCANS:
        raise PhotoError("too many parts", f"{structure.parts} parts, {structure.scans} scans")
    picture = Image.open(io.BytesIO(data), formats=FORMATS)
    pixels = picture.width * picture.height
    memory = _memory(picture, structure)
    if pixels > maximum_pixels or memory > _MAXIMUM_MEMORY:
        raise PhotoError("too many pixels", f"{picture.width}×{picture.height}")
    if max(picture.size) > _NARROWEST * min(picture.size):
        raise PhotoError("too narrow", f"{picture.width}×{picture.height}")
    if picture.format == "TIFF":
        _require_small_tiles(picture)
    return picture, memory


def _require_small_tiles(picture: Image.Image) -> None:
    """A TIFF's tiles may be larger than the picture, and are decoded whole."""
    tags = getattr(picture, "tag_v2", {})
    width, height = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
    if width * height > max(2 * picture.width * picture.height, _USUAL_TILE):
        raise PhotoError("too many pixels", f"in tiles of {width}×{height}")


def _memory(picture: Image.Image, structure: ContainerInfo) -> float:
    """Bytes that it takes to decode a picture of which only the header is read."""
    pixels = picture.width * picture.height
    result = _OF_A_RESULT * pixels / _reduction(pixels) ** 2
    decoder = _BYTES_A_PIXEL.get(picture.format or "", _OTHERWISE) + structure.buffered
    if picture.format == "TIFF" and picture.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        decoder *= 2  # Pillow turns it while it is loaded
    return decoder * pixels + (2 * result if _is_jpeg(picture) else result)


def _is_jpeg(picture: Image.Image) -> bool:
    return picture.format in ("JPEG", "MPO")


def _reduction(pixels: int) -> int:
    """By which power of two a picture's sides are divided."""
    factor = 1
    while pixels > factor * factor * MOST_PIXELS_KEPT:
        factor *= 2
    return factor


def _upright_rgb(picture: Image.Image, min_decoded_side: int | None) -> Image.Image:
    """The picture without its metadata, reduced where it is very large or larger than wanted.

    Strip by strip: a picture of 16-bit numbers or with transparency would be in memory five times.
    """
    factor = _reduction(picture.width * picture.height)
    if min_decoded_side and _is_jpeg(picture):
        while min(picture.size) >= 2 * factor * min_decoded_side:
            factor *= 2
    if factor > 1 and _is_jpeg(picture):
        size = picture.size
        picture.draft(None, (picture.width // factor, picture.height // factor))
        factor = factor if picture.size == size else 1  # the decoder does it
    picture.load()
    turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    upright = Image.new("RGB", (-(-picture.width // factor), -(-picture.height // factor)))
    for top in range(0, picture.height, _STRIP):
        strip = _rgb(picture.crop((0, top, picture.width, min(top + _STRIP, picture.height))))
        upright.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    del picture, strip
    return upright.transpose(turn) if turn is not None else upright


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        grey = np.nan_to_num(np.asarray(picture, dtype=np.float64))
        if picture.mode != "F":
            grey = grey / 257  # 16 bits → 8
        return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")
    return picture.convert("RGB")
