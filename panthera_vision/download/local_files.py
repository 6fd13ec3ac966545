"""Photos whose address is a file: read from the allowed folder, and from nowhere else."""

import stat
from pathlib import Path

from panthera_vision.download.http import FetchError, FetchSettings


def read_local_photo(image_url: str, settings: FetchSettings) -> bytes:
    """The bytes of a photo in a folder.

    Raises:
        FetchError: outside the allowed folder (symbolic links followed), missing, too large, or
            no file but a pipe or a device, which could be waited for without end.
    """
    try:
        if image_url.startswith(("//", "\\\\")):  # only to look there would ask another machine
            raise FetchError("file outside the photos' folder", retryable=False)
        path = (settings.table_folder / image_url).resolve()
        if not path.is_relative_to(settings.local_photos.resolve()):
            raise FetchError("file outside the photos' folder", retryable=False)
        return _read(path, settings.maximum_bytes)
    except FileNotFoundError:
        raise FetchError("file missing", retryable=False) from None
    except (OSError, ValueError, RuntimeError):  # of links in a circle, too
        raise FetchError("file unreadable", retryable=False) from None


def _read(path: Path, maximum_bytes: int) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise FetchError("file unreadable", retryable=False)
    with path.open("rb") as file:
        data = file.read(maximum_bytes + 1)
    if len(data) > maximum_bytes:
        raise FetchError("file too large", retryable=False)
    return data
