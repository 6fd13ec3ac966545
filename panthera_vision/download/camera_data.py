"""Fill in when and where photos were taken, from the EXIF data of their files."""

from pathlib import Path

import pandas as pd

from panthera_vision.data.coordinates import Coordinates, generalize
from panthera_vision.data.photo_table import OK
from panthera_vision.images.exif import read_camera_data
from panthera_vision.io.urls import is_local


def add_camera_data(photos: pd.DataFrame, coordinates: Coordinates) -> pd.DataFrame:
    """Return `photos` with times and places of EXIF where `taken_at` and `latitude` were empty.

    Days and coordinates are taken from the user's own files only: sites have the day in their
    table, and one that obscures where endangered animals live may have left the exact place in a
    photo.

    Args:
        photos: columns image_url, file, outcome, and any others.
        coordinates: whether those of EXIF are exact, to a tenth of a degree, or left out.
    """
    names = ["observed_on", "taken_at", "latitude", "longitude"]
    known = photos.reindex(columns=names, fill_value="")
    filled = {name: list(known[name]) for name in names}
    rows = zip(photos["image_url"], photos["file"], photos["outcome"], strict=True)
    for row, (address, file, outcome) in enumerate(rows):
        needs_place = is_local(address) and coordinates != "none" and not filled["latitude"][row]
        if outcome != OK or (filled["taken_at"][row] and not needs_place):
            continue
        data = read_camera_data(Path(file))
        filled["taken_at"][row] = filled["taken_at"][row] or data.time
        if is_local(address) and data.taken_at and not filled["observed_on"][row]:
            filled["observed_on"][row] = data.taken_at.date().isoformat()
        if needs_place and data.latitude is not None:
            filled["latitude"][row] = str(generalize(data.latitude, coordinates))
            filled["longitude"][row] = str(generalize(data.longitude, coordinates))
    added = {name: cells for name, cells in filled.items() if name in photos or any(cells)}
    return photos.assign(**added)
