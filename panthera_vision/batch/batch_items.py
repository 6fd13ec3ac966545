"""Define what a batch classifies: items, each of which becomes one row of the table."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from panthera_vision.batch.output_formats import Row
from panthera_vision.batch.predict_files import Photo


@dataclass(frozen=True)
class BatchItem:
    """Hold a row to be: a photo file, or one of several boxes in it.

    Attributes:
        file: the photo file.
        number: of the row among those of the file; file and number together are unique.
        photo: what the network sees; None where `columns` already have the answer or the reason.
        columns: of the row, known before the network sees the photo.
    """

    file: Path
    number: int = 0
    photo: Photo | None = None
    columns: Row = field(default_factory=dict)


class BatchItems(Protocol):
    """Items in a fixed order, which may be gone through several times."""

    def __iter__(self) -> Iterator[BatchItem]: ...

    def __len__(self) -> int:
        """Return the number of items."""


def file_items(photos: Iterable[Path], folders: Sequence[Path] = ()) -> Sequence[BatchItem]:
    """Return an item for each photo file, which is classified whole.

    Args:
        photos: the files.
        folders: in which they were found.
    """
    return [BatchItem(photo, photo=photo, columns=_names(photo, folders)) for photo in photos]


def _names(photo: Path, folders: Sequence[Path]) -> Row:
    """Return `name`, for formats with relative paths, and `below`, the path below its folder."""
    below = next((photo.relative_to(f) for f in folders if photo.is_relative_to(f)), None)
    is_relative = below is not None and len(folders) == 1
    return {
        "name": (below if below is not None and is_relative else photo).as_posix(),
        "below": str(below or photo.name),
    }


def item_key(file: Path | str, number: int = 0) -> int:
    """Return 64 bits that stand for a file and the number of its row where memory is short."""
    name = f"{file}\0{number}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
