"""Photo files below a folder, in a fixed order."""

from pathlib import Path

from panthera_vision.errors import UserError

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif")
)


def photos_below(folder: Path) -> list[Path]:
    """All files below `folder` whose name ends as a photo's does, sorted.

    Raises:
        UserError: there is no such folder, or no photo in it.
    """
    photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not photos:
        raise UserError(f"no photo lies below {folder}")
    return photos
