"""Download log: each downloaded photo as a JSON line, so that an interrupted run resumes."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from panthera_vision.io.json_lines import JsonLinesLog


@dataclass(frozen=True)
class DownloadRecord:
    """A downloaded photo: its file, address, content, size as received and time (epoch, s)."""

    file: str
    image_url: str
    sha256: str
    host: str
    bytes: int
    at: float


class DownloadLog(JsonLinesLog):
    """Log of `DownloadRecord` objects."""

    def records(self) -> Iterator[DownloadRecord]:
        """Yield the records in the order of the downloads."""
        for _, line in self:
            try:
                yield DownloadRecord(**line)
            except TypeError:  # other fields
                continue

    def add(self, record: DownloadRecord) -> None:
        """Log a photo whose file is complete."""
        self.append(asdict(record))
