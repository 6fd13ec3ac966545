"""Read photos from a local folder, guarded against path traversal."""

from panthera_vision.download.http import FetchError, FetchSettings
from panthera_vision.images.decoding import PhotoError, read_file
from panthera_vision.io.file_names import find_spelling


def read_local_photo(file: str, settings: FetchSettings) -> bytes:
    """Return the bytes of a file below one of `settings.local_photos`.

    Raises:
        FetchError: the path leaves these folders (symbolic links followed), or see `read_file`.
    """
    outside = FetchError("file outside the photos' folder", retryable=False)
    if file.startswith(("//", "\\\\")):  # UNC: even resolving it would contact another machine
        raise outside
    try:
        path = settings.table_folder / file
        path = (find_spelling(path) or path).resolve()
        roots = [folder.resolve() for folder in settings.local_photos]
        if not any(path.is_relative_to(root) for root in roots):
            raise outside
        return read_file(path, settings.maximum_bytes)
    except PhotoError as error:
        raise FetchError(error.reason, retryable=False) from None
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a loop of symbolic links
        raise FetchError("file unreadable", retryable=False) from None
