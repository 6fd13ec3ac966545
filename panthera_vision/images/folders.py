"""Photo files below a folder, in a fixed order."""

import os
from collections.abc import Iterator
from pathlib import Path

from panthera_vision.errors import UserError

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif")
)


def is_named_as_photo(path: Path) -> bool:
    """Whether the file's name ends as a photo's does."""
    return path.suffix.lower() in SUFFIXES


def files_below(folder: Path) -> Iterator[Path]:
    """All files below `folder`, those of a folder in order before those of its subfolders.

    Links to folders are not followed: they may lead round in a circle.
    """
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def photos_below(folder: Path) -> list[Path]:
    """All files below `folder` that are named as photos.

    Raises:
        UserError: there is no such folder, or no photo in it.
    """
    photos = [path for path in files_below(folder) if is_named_as_photo(path)]
    if not photos:
        raise UserError(f"no photo lies below {folder}")
    return photos
