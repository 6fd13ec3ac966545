"""Append-only JSON Lines log that survives a crash: a half-written last line is skipped."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from panthera_vision.io.atomic import named_errors


class JsonLinesLog:
    """Append JSON objects to a file, one a line, and read them back; a context manager.

    Opening the log ends a line that a killed run left half written. Lines that hold no JSON
    object are skipped.

    Args:
        path: the file; created, with its folder, where missing.
        header: the first line. A log that begins with another line is emptied.

    Raises:
        OSError: the file can't be opened or written.
    """

    def __init__(self, path: Path, header: dict[str, Any] | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("a+b")  # reads anywhere, writes at the end
        self._begin = 0
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read() != b"\n":
                self._file.write(b"\n")
        if header is not None:
            self._file.seek(0)
            if _parse(self._file.readline()) != json.loads(json.dumps(header)):
                self._file.truncate(0)
                self.append(header)
            self._begin = self._file.tell()

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each object after the header with its offset; append none meanwhile."""
        offset = self._file.seek(self._begin)
        for line in self._file:
            record = _parse(line)
            if record is not None:
                yield offset, record
            offset += len(line)

    def append(self, record: dict[str, Any]) -> int:
        """Write an object at the end, flushed, and return its offset."""
        with named_errors(self._path):
            offset = self._file.seek(0, os.SEEK_END)
            # ASCII: the name of a file need not be valid Unicode.
            self._file.write(json.dumps(record).encode() + b"\n")
            self._file.flush()
        return offset

    def read(self, offset: int) -> dict[str, Any]:
        """Return the object at an offset."""
        self._file.seek(offset)
        record: dict[str, Any] = json.loads(self._file.readline())
        return record

    def remove(self) -> None:
        """Close and delete the file."""
        self._file.close()
        self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with named_errors(self._path):  # closing writes what a full disk left in the buffer
            self._file.close()


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
