"""What was fetched, noted photo by photo, so that an interrupted download goes on where it was."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class DownloadRecord:
    """A photo that reached its file: where from, what it is, how much came, and when (epoch s)."""

    file: str
    image_url: str
    sha256: str
    host: str
    bytes: int
    at: float


class DownloadLog:
    """An append-only file of `DownloadRecord` records, one JSON object a line.

    A line that a killed run left half written is passed over; its photo is fetched again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __iter__(self) -> Iterator[DownloadRecord]:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    yield DownloadRecord(**json.loads(line))
                except (ValueError, TypeError):
                    continue

    def __enter__(self) -> "DownloadLog":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+", encoding="utf-8", newline="\n")
        if self._file.tell():
            self._file.write("\n")  # closes a half line; an empty one is passed over
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def append(self, fetched: DownloadRecord) -> None:
        """Note a photo that has its final name."""
        if self._file is None:
            raise RuntimeError("the journal is not open")
        self._file.write(json.dumps(asdict(fetched), ensure_ascii=False) + "\n")
        self._file.flush()
