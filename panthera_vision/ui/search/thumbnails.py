"""Photos of the collection as the page shows them: small, and without their files' metadata."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from panthera_vision.data.photo_table import photo_path
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, read_photo

_LONGEST_SIDE = 640


@dataclass(frozen=True)
class PhotoShelf:
    """Where the collection's photos lie.

    Attributes:
        folder: what the table's files are relative to.
        roots: resolved folders that a photo must lie in.
    """

    folder: Path
    roots: Sequence[Path]

    def modified(self, file: str) -> int:
        """When a photo was last written; 0 where it is gone."""
        try:
            return photo_path(file, self.folder, self.roots).stat().st_mtime_ns
        except (OSError, UserError):
            return 0

    def thumbnail(self, file: str) -> bytes | None:
        """A photo as a small JPEG; None where its file is gone, broken or not ours."""
        try:
            photo = read_photo(photo_path(file, self.folder, self.roots))
        except (PhotoError, UserError):
            return None
        photo.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        buffer = io.BytesIO()
        photo.save(buffer, format="JPEG", quality=85)
        return buffer.getvalue()
