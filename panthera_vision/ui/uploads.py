"""Uploads: untrusted bytes, bounded before anything is decoded. Nothing is written to disk."""

from dataclasses import dataclass

from PIL import Image

from panthera_vision.images.decoding import PhotoError, decode

MAXIMUM_UPLOAD_BYTES = 20_000_000
# Larger pictures are scaled down for the page and the network alike; both see less than this.
_LONGEST_SIDE = 1600
UPLOAD_TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif"]


@dataclass(frozen=True)
class Upload:
    """A file that a visitor gave: a picture, or the reason why there is none."""

    name: str
    photo: Image.Image | None
    reason: str = ""


def take_upload(name: str, data: bytes) -> Upload:
    """An upright RGB picture from uploaded bytes."""
    if len(data) > MAXIMUM_UPLOAD_BYTES:
        return Upload(name, None, "file too large")
    try:
        photo = decode(data)
    except PhotoError as error:
        return Upload(name, None, error.reason)
    photo.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return Upload(name, photo)
