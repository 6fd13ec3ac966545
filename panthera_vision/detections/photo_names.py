"""Find the photos that a detector's file names: relative, absolute and Windows paths."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from panthera_vision.io.file_names import find_spelling

OUTSIDE = "path outside the folder"
MISSING = "file missing"
NO_NAME = "no file name"
_DRIVE = re.compile(r"[A-Za-z]:")
_MOST_NAMES, _MOST_UNKNOWN = 10_000, 300  # that are looked at to learn what paths begin with
_LONGEST = 4096
Parts = tuple[str, ...]


class PhotoNames:
    """Resolve names to files below one folder, and to none outside of it.

    Detectors write paths relative to the folder that they were run on, or absolute ones, often of
    another computer. What all names begin with, such as `C:\\study`, is learned from the names
    whose rest is found in the folder; names that begin otherwise are never looked for by their
    last parts alone, for cameras number their photos alike.

    Args:
        folder: of the photos.
        names: those of the file, in any order.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder
        self._roots = [_split(str(root))[0] for root in {folder.absolute(), folder.resolve()}]
        self._prefixes: dict[bool, Parts] = {}
        self._learn(names)

    def resolve(self, name: str) -> tuple[Path | None, str]:
        """Return the existing file that a name stands for; or None, and why there is none."""
        parts, is_absolute = _split(name)
        if not parts or len(name) > _LONGEST:
            return None, NO_NAME
        if ".." in parts:
            return None, OUTSIDE
        for prefix in (*(self._roots if is_absolute else ()), self._prefixes.get(is_absolute, ())):
            if _begins_with(parts, prefix) and (prefix or not is_absolute):
                path = self._find(parts[len(prefix) :])
                return path, "" if path else MISSING
        return None, OUTSIDE if is_absolute else MISSING

    def _learn(self, names: Iterable[str]) -> None:
        """Find the beginnings of relative and of absolute names that lie above the folder."""
        found: dict[bool, Counter[Parts]] = {False: Counter(), True: Counter()}
        unknown = 0
        for name in islice(names, _MOST_NAMES):
            parts, is_absolute = _split(name)
            if not parts or ".." in parts or len(name) > _LONGEST:
                continue
            if not is_absolute and self._find(parts):
                found[False].clear()
                found[False][()] += 1
                break
            if unknown < _MOST_UNKNOWN:
                unknown += 1
                for count in range(1, len(parts)):
                    if self._find(parts[count:]):
                        found[is_absolute][parts[:count]] += 1
                        break
        for is_absolute, prefixes in found.items():
            if prefixes:
                self._prefixes[is_absolute] = prefixes.most_common(1)[0][0]

    def _find(self, parts: Parts) -> Path | None:
        try:
            return find_spelling(self._folder.joinpath(*parts)) if parts else None
        except (OSError, ValueError):  # too long, or a character that no file name has
            return None


def _split(name: str) -> tuple[Parts, bool]:
    """Return the parts of a path of any system, and whether it is absolute."""
    is_absolute = name[:1] in ("/", "\\") or bool(_DRIVE.match(name))
    parts = name.replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", ".")), is_absolute


def _begins_with(parts: Parts, prefix: Parts) -> bool:
    begin = [part.casefold() for part in parts[: len(prefix)]]
    return len(parts) > len(prefix) and begin == [part.casefold() for part in prefix]
