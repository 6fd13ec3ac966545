"""Check downloaded photos as a whole: one file for many photos (a placeholder), and thumbnails."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
from PIL import Image

from panthera_vision.data.photo_table import OK
from panthera_vision.images.kinds import FORMATS

SAME_FILE = "same file as a photo of another species"
_SMALL_SIDE = 150  # pixels; iNaturalist's square has 75, thumb 100, small 240


def conflicting_photos(photos: pd.DataFrame) -> pd.Series:
    """Return which photos have the bytes of a photo of another species: (N,), bool.

    None of them can be trusted: a server sends one placeholder for many addresses, or two people
    have named the same photo differently.

    Args:
        photos: columns species, sha256, outcome (N).
    """
    downloaded = photos[photos["outcome"] == OK]
    species = downloaded.groupby("sha256")["species"].nunique()
    return (photos["outcome"] == OK) & photos["sha256"].isin(species.index[species > 1])


def photo_notes(photos: pd.DataFrame, paths: Sequence[Path]) -> list[str]:
    """Return phrases about files that several photos share, and about small photos.

    Args:
        photos: columns id, sha256, outcome (N), after `conflicting_photos` were left out.
        paths: their files (N); those of failed photos are not read.
    """
    notes = []
    conflicting = photos["id"][photos["outcome"] == SAME_FILE]
    if len(conflicting):
        notes.append(
            f"WARNING: {len(conflicting)} photos, such as {conflicting.iloc[0]} and "
            f"{conflicting.iloc[1]}, have the same file under different species (a placeholder, or "
            "a wrong label) and are left out"
        )
    is_ok = (photos["outcome"] == OK).to_numpy()
    same = photos[is_ok & photos["sha256"].duplicated(keep=False).to_numpy()]
    if len(same):
        notes.append(
            f"{len(same)} photos share {same['sha256'].nunique()} files with others of their "
            f"species, such as {same['id'].iloc[0]}"
        )
    small = [
        id
        for id, path, ok in zip(photos["id"], paths, is_ok, strict=True)
        if ok and _longer_side(path) <= _SMALL_SIDE
    ]
    if small:
        notes.append(
            f"WARNING: {len(small)} photos, such as {small[0]}, have at most {_SMALL_SIDE} pixels "
            "a side: name addresses of a larger size"
        )
    return notes


def _longer_side(path: Path) -> int:
    """Return the longer side in pixels from the header of a file that was decoded before."""
    with suppress(OSError), Image.open(path, formats=FORMATS) as image:
        return max(image.size)
    return _SMALL_SIDE + 1
