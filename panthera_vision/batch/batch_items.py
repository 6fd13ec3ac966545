"""Define what a batch classifies: items, each of which becomes one row of the table."""

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


def file_items(photos: Iterable[Path]) -> Sequence[BatchItem]:
    """Return an item for each photo file, which is classified whole."""
    return [BatchItem(photo, photo=photo) for photo in photos]
