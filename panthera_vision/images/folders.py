"""List the photo files below a folder, in a fixed order."""

import os
from collections.abc import Iterator
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.images.kinds import SUFFIXES, is_named_as_photo


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, sorted, those of a folder before its subfolders'.

    Symbolic links to folders are not followed: they may form a loop.
    """
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def photos_below(folder: Path) -> list[Path]:
    """Return all files below a folder that are named as photos.

    Raises:
        UserError: there are none.
    """
    photos = [path for path in files_below(folder) if is_named_as_photo(path)]
    if not photos:
        raise UserError(
            f"{folder}: no photo file in this folder; allowed are {' '.join(SUFFIXES)}"
        )
    return photos
