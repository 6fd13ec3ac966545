"""Decode uploads: untrusted bytes, within limits, in memory only."""

from dataclasses import dataclass

from PIL import Image, ImageDraw

from panthera_vision.detections.boxes import Box, crop_square
from panthera_vision.images.decoding import PhotoError, decode, photo_note
from panthera_vision.images.kinds import SUFFIXES

MAXIMUM_UPLOAD_BYTES = 20_000_000
# Larger images are scaled down for the page and the network alike; both need less than this.
_LONGEST_SIDE = 1600
UPLOAD_TYPES = [suffix.removeprefix(".") for suffix in SUFFIXES]


@dataclass(frozen=True)
class Upload:
    """Hold an uploaded file: its photo and what is odd about it, or why there is none.

    Where a detector's box is classified, the photo is the square around it, and `whole` has all.
    """

    name: str
    photo: Image.Image | None
    reason: str = ""
    note: str = ""
    whole: Image.Image | None = None
    box: Box | None = None


def decode_upload(name: str, data: bytes, box: Box | None = None) -> Upload:
    """Decode uploaded bytes into an upright RGB photo, or the square around a box on it."""
    if len(data) > MAXIMUM_UPLOAD_BYTES:
        return Upload(name, None, "file too large")
    try:
        photo = decode(data)
    except PhotoError as error:
        return Upload(name, None, error.reason)
    whole = photo
    if box is not None:
        photo = crop_square(whole, box)
        photo.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    whole.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return Upload(name, photo, note=photo_note(whole), whole=whole, box=box)


def shown_photo(upload: Upload) -> Image.Image | None:
    """Return the photo of an upload as a page shows it: whole, with the box if there is one."""
    if upload.whole is None or upload.box is None:
        return upload.photo
    return draw_box(upload.whole, upload.box)


def draw_box(photo: Image.Image, box: Box) -> Image.Image:
    """Return a copy of a photo with a detector's box drawn on it."""
    drawn = photo.copy()
    width, height = photo.size
    left, top = box.x * width, box.y * height
    corners = (left, top, left + box.width * width, top + box.height * height)
    thickness = max(2, round(max(photo.size) / 90))
    edge = max(1, thickness // 3)
    canvas = ImageDraw.Draw(drawn)
    # A dark edge inside and outside of the light line: it is seen on any photo.
    canvas.rectangle(_grown(corners, edge), outline="black", width=thickness + 2 * edge)
    canvas.rectangle(corners, outline="#ffd500", width=thickness)
    return drawn


def _grown(
    corners: tuple[float, float, float, float], by: float
) -> tuple[float, float, float, float]:
    left, top, right, bottom = corners
    return left - by, top - by, right + by, bottom + by
