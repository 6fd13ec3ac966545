"""Find the same files in two lists of paths, which may be of two machines."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

_SEVERAL = -1
_MOST_PARTS = 8  # of a path that are compared


def match_paths(paths: Iterable[str], others: Sequence[str]) -> list[int | None]:
    """Find for each path the one of `others` that names the same file on another machine.

    Two paths are of one file if one is the end of the other, if they share the file's name and
    folder, or if the file's name is there only once. Names may differ in upper and lower case, and
    in the separator. The longest common end counts; where several fit equally well, none is taken.

    Returns:
        A number for each of `paths`, no number twice; or None.
    """
    ends: dict[int, int] = {}  # hash of the last parts of a path → its number, or _SEVERAL
    for number, other in enumerate(others):
        for end in _ends(_parts(other)):
            ends[end] = _SEVERAL if end in ends else number
    found = [_find(path, others, ends) for path in paths]
    longest: dict[int, int] = {}
    rivals: Counter[tuple[int, int]] = Counter(each for each in found if each)
    for number, length in rivals:
        longest[number] = max(length, longest.get(number, 0))
    return [
        each[0] if each and each[1] == longest[each[0]] and rivals[each] == 1 else None
        for each in found
    ]


def _find(path: str, others: Sequence[str], ends: Mapping[int, int]) -> tuple[int, int] | None:
    """Return the number of the path that fits and how many parts they share."""
    parts = _parts(path)
    for length, end in reversed(list(enumerate(_ends(parts), start=1))):
        number = ends.get(end)
        if number is None:
            continue
        if number == _SEVERAL:
            return None
        is_end = length in (len(parts), len(_parts(others[number])))
        is_only_one = ends[hash(parts[:1])] != _SEVERAL
        return (number, length) if is_end or length > 1 or is_only_one else None
    return None


def _ends(parts: tuple[str, ...]) -> list[int]:
    """Return the hash of the last part, of the last two, and so on."""
    return [hash(parts[:length]) for length in range(1, min(len(parts), _MOST_PARTS) + 1)]


def _parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path from the file's name upwards, in one spelling."""
    pure = PurePosixPath(path.replace("\\", "/").casefold())
    return tuple(part for part in reversed(pure.parts) if part != "/")
