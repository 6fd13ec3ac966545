"""Read when and where a photo was taken, and by whom, from its EXIF data."""

import io
import math
import re
import stat
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from panthera_vision.images.kinds import FORMATS

# Not DateTime, the time of the last change: a batch that was exported together would be one burst.
_TIMES = (
    (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
    (ExifTags.Base.DateTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
)
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_LONGEST_NAME = 200


@dataclass(frozen=True)
class CameraData:
    """Hold what a camera, or its owner, wrote into a photo file.

    Attributes:
        taken_at: the camera's local time.
        offset: of that time from UTC, such as "+03:00"; "" where the camera wrote none.
        latitude, longitude: in degrees north and east, WGS 84; both or none.
        artist, copyright: names as they were written, or "".
    """

    taken_at: datetime | None = None
    offset: str = ""
    latitude: float | None = None
    longitude: float | None = None
    artist: str = ""
    copyright: str = ""

    @property
    def time(self) -> str:
        """Return the time as ISO 8601, or ""."""
        return f"{self.taken_at.isoformat()}{self.offset}" if self.taken_at else ""


def taken_at(path: Path) -> datetime | None:
    """Return the camera's local time of a photo file; None without one, or for no photo."""
    return read_camera_data(path).taken_at


def read_camera_data(photo: Path | bytes) -> CameraData:
    """Return the EXIF data of a photo file; empty without any, or for no photo.

    Only the beginning of a file is read: no pixel is decoded.
    """
    # Decoders raise nearly anything on damaged data.
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(photo, Path) and not stat.S_ISREG(photo.stat().st_mode):
            return CameraData()
        source = photo if isinstance(photo, Path) else io.BytesIO(photo)
        with Image.open(source, formats=FORMATS) as image:
            if image.format == "PNG" and "exif" not in image.info:
                return CameraData()  # Pillow would decode all pixels to look for it behind them
            return camera_data(image.getexif())
    return CameraData()


def camera_data(exif: Image.Exif) -> CameraData:
    """Return what is known of EXIF data; what is damaged counts as missing."""
    time, offset = _time(_part(exif, ExifTags.IFD.Exif))
    latitude, longitude = _position(_part(exif, ExifTags.IFD.GPSInfo))
    return CameraData(
        time,
        offset,
        latitude,
        longitude,
        _text(exif.get(ExifTags.Base.Artist)),
        _text(exif.get(ExifTags.Base.Copyright)),
    )


def _part(exif: Image.Exif, tag: int) -> Mapping[int, Any]:
    with suppress(Exception):
        return exif.get_ifd(tag)
    return {}


def _time(part: Mapping[int, Any]) -> tuple[datetime | None, str]:
    for tag, offset_tag in _TIMES:
        with suppress(ValueError):
            time = datetime.strptime(str(part.get(tag, ""))[:19], "%Y:%m:%d %H:%M:%S")
            offset = _text(part.get(offset_tag))
            return time, offset if _OFFSET.fullmatch(offset) else ""
    return None, ""


def _position(part: Mapping[int, Any]) -> tuple[float | None, float | None]:
    tags = ExifTags.GPS
    latitude = _degrees(part.get(tags.GPSLatitude), part.get(tags.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(part.get(tags.GPSLongitude), part.get(tags.GPSLongitudeRef), "EW", 180)
    # Devices without a fix write zeros.
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None
    return latitude, longitude


def _degrees(parts: Any, reference: Any, signs: str, most: float) -> float | None:
    """Return degrees of a triple of degrees, minutes and seconds, negative for the second sign."""
    with suppress(Exception):  # division by zero, other types, too few numbers
        degrees, minutes, seconds = (float(part) for part in parts)
        value = degrees + minutes / 60 + seconds / 3600
        sign = signs.index(_text(reference).upper()[:1] or "?")
        if math.isfinite(value) and 0 <= value <= most:
            return -value if sign else value
    return None


def _text(value: Any) -> str:
    """Return a text tag on one line, without the null characters that end it."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = " ".join(str(value or "").replace("\0", " ").split())
    return text[:_LONGEST_NAME] if text.isprintable() else ""
