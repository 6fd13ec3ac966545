"""Untrusted bytes → an upright RGB picture, within bounds, or a reason why not."""

import io
import warnings
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

# Only these decoders are tried: Pillow knows some fifty formats, most of them no photos.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF")
MAXIMUM_BYTES = 50_000_000
MAXIMUM_PIXELS = 100_000_000

pillow_heif.register_heif_opener()


class PhotoError(ValueError):
    """A photo that can't be used. `reason` is a short phrase fit for counting."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


def decode(data: bytes, *, maximum_pixels: int = MAXIMUM_PIXELS) -> Image.Image:
    """The picture in `data`, turned upright by its EXIF orientation, in mode RGB.

    The first frame of an animation counts; transparency is laid on white; 16-bit grey is scaled.

    Raises:
        PhotoError: no picture, a broken one, or one with too many pixels.
    """
    if not data:
        raise PhotoError("empty file")
    try:
        with warnings.catch_warnings():
            # Pillow's own limit on pixels warns; ours below refuses.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                if picture.width * picture.height > maximum_pixels:
                    raise PhotoError("too many pixels", f"{picture.width}×{picture.height}")
                picture.load()
                return _rgb(ImageOps.exif_transpose(picture))
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


def read_photo(path: Path) -> Image.Image:
    """The photo in a file; see `decode`.

    Raises:
        PhotoError: also where the file is missing, unreadable or larger than `MAXIMUM_BYTES`.
    """
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise PhotoError("file too large", f"{path.stat().st_size:,} bytes")
        data = path.read_bytes()
    except FileNotFoundError:
        raise PhotoError("file missing", str(path)) from None
    except OSError as error:
        raise PhotoError("file unreadable", str(error)) from None
    return decode(data)


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


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        grey = np.asarray(picture, dtype=np.float64)
        if picture.mode != "F":
            grey = grey / 257  # 16 bits → 8
        return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")
    return picture.convert("RGB")
