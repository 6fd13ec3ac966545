"""Read when a photo was taken from its EXIF data."""

import stat
import warnings
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from PIL import ExifTags, Image

from panthera_vision.images.kinds import FORMATS

# Not DateTime, the time of the last change: a batch that was exported together would be one burst.
_TAGS = (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized)


def taken_at(path: Path) -> datetime | None:
    """Return the camera's local time of a photo file; None without one, or for no photo."""
    # Decoders raise nearly anything on damaged data.
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with Image.open(path, formats=FORMATS) as image:
            if image.format == "PNG" and "exif" not in image.info:
                return None  # Pillow would decode all pixels to look for it behind them
            exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
        for tag in _TAGS:
            with suppress(ValueError):
                return datetime.strptime(str(exif.get(tag, ""))[:19], "%Y:%m:%d %H:%M:%S")
    return None
