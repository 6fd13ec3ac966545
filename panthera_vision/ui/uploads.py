"""Decode uploads: untrusted bytes, within limits, in memory only."""

from dataclasses import dataclass

from PIL import Image

from panthera_vision.images.decoding import PhotoError, decode, photo_note
from panthera_vision.images.kinds import SUFFIXES

MAXIMUM_UPLOAD_BYTES = 20_000_000
# Larger images are scaled down for the page and the network alike; both need less than this.
_LONGEST_SIDE = 1600
UPLOAD_TYPES = [suffix.removeprefix(".") for suffix in SUFFIXES]


@dataclass(frozen=True)
class Upload:
    """Hold an uploaded file: its photo and what is odd about it, or why there is none."""

    name: str
    photo: Image.Image | None
    reason: str = ""
    note: str = ""


def decode_upload(name: str, data: bytes) -> Upload:
    """Decode uploaded bytes into an upright RGB photo."""
    if len(data) > MAXIMUM_UPLOAD_BYTES:
        return Upload(name, None, "file too large")
    try:
        photo = decode(data)
    except PhotoError as error:
        return Upload(name, None, error.reason)
    photo.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return Upload(name, photo, note=photo_note(photo))
