"""Resume log: the row of each classified item as a JSON line, to resume an interrupted run."""

from array import array
from pathlib import Path
from typing import Any

import numpy as np

from panthera_vision.batch.batch_items import BatchItem, item_key
from panthera_vision.io.json_lines import JsonLinesLog

SUFFIX = ".progress"


class ResumeLog(JsonLinesLog):
    """Log of rows beside the table to write; a log with another header is emptied.

    A row is valid while the photo's size and modification time are the same. The log holds 16
    bytes an item in memory.

    Args:
        path: the file.
        header: what the rows depend on besides the photos: the model, the settings of the run.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        super().__init__(path, header)
        self._keys, self._offsets = array("Q"), array("Q")
        self._earlier = _OffsetTable(self._keys, self._offsets)
        file, is_same = "", False
        for offset, line in self:
            try:
                if line["file"] != file:
                    file, is_same = line["file"], _identity(Path(line["file"])) == line["of"]
                if is_same:
                    self._note(item_key(file, line["number"]), offset)
            except (KeyError, TypeError):
                continue
        self._earlier = self._all = _OffsetTable(self._keys, self._offsets)

    def __contains__(self, item: BatchItem) -> bool:
        """Return whether an earlier run logged the item's row."""
        return self._earlier.find(item_key(item.file, item.number)) is not None

    def add(self, item: BatchItem, row: dict[str, Any]) -> None:
        """Log the row of an item."""
        file = str(item.file)
        line = {"file": file, "number": item.number, "of": _identity(item.file), "row": row}
        self._note(item_key(file, item.number), self.append(line))

    def row(self, item: BatchItem) -> dict[str, Any]:
        """Return the logged row of an item.

        Raises:
            KeyError: it is not logged.
        """
        if len(self._all) < len(self._keys):
            self._all = _OffsetTable(self._keys, self._offsets)
        offset = self._all.find(item_key(item.file, item.number))
        if offset is None:
            raise KeyError(item.file)
        row: dict[str, Any] = self.read(offset)["row"]
        return row

    def _note(self, key: int, offset: int) -> None:
        self._keys.append(key)
        self._offsets.append(offset)


class _OffsetTable:
    """Find the offset last noted for a key."""

    def __init__(self, keys: "array[int]", offsets: "array[int]") -> None:
        unsorted = np.array(keys, dtype=np.uint64)
        order = np.argsort(unsorted, kind="stable")
        self._keys = unsorted[order]
        self._offsets = np.array(offsets, dtype=np.uint64)[order]

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, key: int) -> int | None:
        place = int(np.searchsorted(self._keys, np.uint64(key), side="right")) - 1
        if place < 0 or int(self._keys[place]) != key:
            return None
        return int(self._offsets[place])


def _identity(photo: Path) -> list[int]:
    """Return size and modification time, which tell whether a file was replaced."""
    try:
        status = photo.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
