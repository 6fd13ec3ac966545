"""Add the time and the place that cameras wrote into photo files to rows of an output."""

from functools import lru_cache
from pathlib import Path

from panthera_vision.batch.output_formats import Row
from panthera_vision.data.coordinates import Coordinates, generalize
from panthera_vision.images.exif import CameraData, read_camera_data


def camera_columns(photo: Path | bytes, coordinates: Coordinates = "exact") -> Row:
    """Return the columns `taken_at`, `latitude` and `longitude` of a photo, None where unknown.

    Args:
        photo: the file, or its bytes.
        coordinates: whether they are exact, to a tenth of a degree, or left out.
    """
    data = read_camera_data(photo) if isinstance(photo, bytes) else _of_file(photo)
    return {
        "taken_at": data.time or None,
        "latitude": generalize(data.latitude, coordinates),
        "longitude": generalize(data.longitude, coordinates),
    }


@lru_cache(maxsize=16)  # the boxes of a file are rows one after another
def _of_file(file: Path) -> CameraData:
    return read_camera_data(file)
