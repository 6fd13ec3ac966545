"""Answers noted as they come, so that an interrupted run goes on where it stopped."""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

SUFFIX = ".progress"


class ResumeLog:
    """JSON lines beside the table to be: the model, then each photo's row.

    A row counts for as long as the photo's size and time are the same. The journal of another
    model is begun anew; a line that a killed run left half written is cut off.
    """

    def __init__(self, path: Path, model: str) -> None:
        self._path = path
        self._offsets: dict[str, int] = {}
        self._head = (json.dumps({"model": model}) + "\n").encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._read() if path.exists() else 0
        self._file = path.open("r+b" if whole else "w+b")
        self._file.truncate(whole)
        if not whole:
            self._file.write(self._head)

    def _read(self) -> int:
        """Note where the rows are; the length of the file's whole lines, 0 for another's."""
        with self._path.open("rb") as file:
            if file.readline() != self._head:
                return 0
            whole = file.tell()
            for line in file:
                try:
                    entry = json.loads(line)
                    if not line.endswith(b"\n") or _identity(Path(entry["file"])) != entry["of"]:
                        raise ValueError
                    self._offsets[entry["file"]] = whole
                except (ValueError, KeyError, TypeError):
                    if not line.endswith(b"\n"):
                        break
                whole += len(line)
        return whole

    def __contains__(self, photo: Path) -> bool:
        return str(photo) in self._offsets

    def add(self, photo: Path, row: dict[str, Any]) -> None:
        """Note a photo's row; it is safe after the next `flush`."""
        line = json.dumps({"file": str(photo), "of": _identity(photo), "row": row}) + "\n"
        self._offsets[str(photo)] = self._file.seek(0, os.SEEK_END)
        self._file.write(line.encode())

    def flush(self) -> None:
        self._file.flush()

    def row(self, photo: Path) -> dict[str, Any]:
        """The row of a photo that is noted."""
        self._file.seek(self._offsets[str(photo)])
        row: dict[str, Any] = json.loads(self._file.readline())["row"]
        return row

    def remove(self) -> None:
        """Delete the file: the table is written."""
        self._file.close()
        self._path.unlink()

    def __enter__(self) -> "ResumeLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def _identity(photo: Path) -> list[int]:
    """Size and time of a file, so that one that was replaced is answered again."""
    try:
        status = photo.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
