"""Resume log: the row of each classified photo as a JSON line, to resume an interrupted run."""

from pathlib import Path
from typing import Any

from panthera_vision.io.json_lines import JsonLinesLog

SUFFIX = ".progress"


class ResumeLog(JsonLinesLog):
    """Log of rows beside the table to write; the log of another model is emptied.

    A row is valid while the photo's size and modification time are the same.
    """

    def __init__(self, path: Path, model: str) -> None:
        super().__init__(path, {"model": model})
        self._offsets: dict[str, int] = {}
        for offset, line in self:
            try:
                if _identity(Path(line["file"])) == line["of"]:
                    self._offsets[line["file"]] = offset
            except (KeyError, TypeError):
                continue

    def __contains__(self, photo: Path) -> bool:
        return str(photo) in self._offsets

    def add(self, photo: Path, row: dict[str, Any]) -> None:
        """Log the row of a photo."""
        line = {"file": str(photo), "of": _identity(photo), "row": row}
        self._offsets[str(photo)] = self.append(line)

    def row(self, photo: Path) -> dict[str, Any]:
        """Return the logged row of a photo."""
        row: dict[str, Any] = self.read(self._offsets[str(photo)])["row"]
        return row


def _identity(photo: Path) -> list[int]:
    """Return size and modification time, which tell whether a file was replaced."""
    try:
        status = photo.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
