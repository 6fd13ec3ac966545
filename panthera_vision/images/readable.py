"""Select the readable photos of a folder that belongs to the user."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.images.folders import photos_below


def readable_photos(folder: Path, setting: str, threads: int = 2) -> tuple[list[Path], str]:
    """Return the photos below a folder that can be decoded, and a summary of the others.

    The summary counts the files left out by reason and names one of them; it is "" if there are
    none.

    Args:
        folder: the user's, searched recursively.
        setting: the name of the setting that holds it, for messages.
        threads: that decode.

    Raises:
        UserError: the folder does not exist, or has no readable photo.
    """
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        raise UserError(f"{setting} = {folder}: it {problem}; name a folder of photos, or null")
    paths = photos_below(folder)
    with ThreadPoolExecutor(threads) as pool:
        reasons = list(pool.map(reason_if_unreadable, paths))
    readable = [path for path, reason in zip(paths, reasons, strict=True) if not reason]
    summary = _summary(paths, reasons)
    if not readable:
        raise UserError(f"{setting} = {folder}: no readable photo; {summary}")
    return readable, f"{setting}: {summary}" if summary else ""


def reason_if_unreadable(path: Path, min_decoded_side: int | None = None) -> str:
    """Return why a photo can't be decoded, or ""; `min_decoded_side` as in `decode`."""
    try:
        read_photo(path, min_decoded_side)
    except PhotoError as error:
        return error.reason
    return ""


def _summary(paths: Sequence[Path], reasons: Sequence[str]) -> str:
    counts = Counter(filter(None, reasons))
    if not counts:
        return ""
    example = next(path for path, reason in zip(paths, reasons, strict=True) if reason)
    listed = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    return f"{counts.total()} of {len(paths)} files left out ({listed}), such as {example}"
