"""Group a user's own photos by encounter, with the times that the cameras wrote into the files."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.encounters import GROUP, Encounters, group_encounters
from panthera_vision.data.photo_table import photo_path
from panthera_vision.errors import UserError
from panthera_vision.images.exif import taken_at
from panthera_vision.images.perceptual_hash import (
    HASH_WORDS,
    hash_file,
    pairs_of_near_duplicates,
)
from panthera_vision.io.urls import is_local


def group_own_photos(
    table: pd.DataFrame, folder: Path, photos_root: Path, gap_minutes: float
) -> Encounters:
    """Group the photos of a table that have no observer; see `group_encounters`.

    Args:
        table: of `read_observations`.
        folder: that local addresses are relative to.
        photos_root: local photos elsewhere are not opened (path traversal).
        gap_minutes: longest gap between two photos of an encounter.
    """
    root = photos_root.resolve()

    def times() -> Iterator[datetime | None]:
        given = table[GROUP] if GROUP in table else [""] * len(table)
        for address, observer, group in zip(
            table["image_url"], table["observer"], given, strict=True
        ):
            is_needed = is_local(address) and not observer and not group
            yield _time(address, folder, root) if is_needed else None

    def find_pairs(addresses: Sequence[str]) -> Iterator[tuple[int, int]]:
        hashes = [_hash(address, folder, root) for address in addresses]
        rows = [row for row, each in enumerate(hashes) if each is not None]
        known = np.array([hashes[row] for row in rows], dtype=np.uint64).reshape(-1, HASH_WORDS)
        for one, other in pairs_of_near_duplicates(known):
            yield rows[one], rows[other]

    return group_encounters(table, list(times()), gap_minutes, find_pairs)


def _hash(address: str, folder: Path, root: Path) -> np.ndarray | None:
    """Return the difference hash of a local photo; None where it can't be read."""
    if not is_local(address):
        return None
    try:
        return hash_file(photo_path(address, folder, [root]))
    except UserError:  # outside the folder of the photos, which the download reports
        return None


def _time(address: str, folder: Path, root: Path) -> datetime | None:
    try:
        return taken_at(photo_path(address, folder, [root]))
    except UserError:  # outside the folder of the photos, which the download reports
        return None
