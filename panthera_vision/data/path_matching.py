"""Find the same files in two lists of paths, which may be of two machines."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath


class PathMatcher:
    """Find paths that name the same file on another machine, by the end that they share.

    Two paths are of one file if one is the end of the other, if they share the file's name and
    folder, or if the file's name is there only once. Names may differ in upper and lower case, and
    in the separator. Where several fit equally well, none is taken.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._by_name: dict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        for place, path in enumerate(paths):
            parts = _parts(path)
            if parts:
                self._by_name[parts[0]].append((parts, place))

    def find(self, path: str) -> int | None:
        """Return the number of the path that fits, or None."""
        parts = _parts(path)
        candidates = self._by_name.get(parts[0], []) if parts else []
        shared = [(_shared(parts, other), other, place) for other, place in candidates]
        most = max((length for length, _, _ in shared), default=0)
        best = [(other, place) for length, other, place in shared if length == most]
        if len(best) != 1:
            return None
        ((other, place),) = best
        is_end = most in (len(parts), len(other))
        return place if is_end or most > 1 or len(candidates) == 1 else None


def _parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path from the file's name upwards, in one spelling."""
    pure = PurePosixPath(path.replace("\\", "/").casefold())
    return tuple(part for part in reversed(pure.parts) if part != "/")


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
