"""Read photos from a local folder, guarded against path traversal."""

import stat

from panthera_vision.download.http import FetchError, FetchSettings


def read_local_photo(file: str, settings: FetchSettings) -> bytes:
    """Return the bytes of a file below `settings.local_photos`.

    Raises:
        FetchError: the path leaves that folder (symbolic links followed), or the file is missing,
            too large, or a pipe or device, whose reading might never end.
    """
    try:
        # UNC paths: even resolving one would contact another machine.
        if file.startswith(("//", "\\\\")):
            raise FetchError("file outside the photos' folder", retryable=False)
        path = (settings.table_folder / file).resolve()
        if not path.is_relative_to(settings.local_photos.resolve()):
            raise FetchError("file outside the photos' folder", retryable=False)
        if not stat.S_ISREG(path.stat().st_mode):
            raise FetchError("file unreadable", retryable=False)
        with path.open("rb") as opened:
            data = opened.read(settings.maximum_bytes + 1)
    except FileNotFoundError:
        raise FetchError("file missing", retryable=False) from None
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a loop of symbolic links
        raise FetchError("file unreadable", retryable=False) from None
    if len(data) > settings.maximum_bytes:
        raise FetchError("file too large", retryable=False)
    return data
