"""Define `UserError`, the exception for problems that the user can fix."""

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_LISTED = 10


class UserError(Exception):
    """A wrong setting, a missing file, bad data: shown as one line, never as a traceback."""


def list_names(names: Iterable[str], most: int = _MAX_LISTED) -> str:
    """Join names by commas, at most `most` of them; "… and 290 more" counts the rest.

    >>> list_names(["a", "b", "c", "d"], most=2)
    'a, b … and 2 more'
    """
    listed = list(names)
    rest = f" … and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + rest


def closest_name(name: str, names: Iterable[str], cutoff: float = 0.75) -> str | None:
    """Return the name that is spelled most like `name`, in any case; None if none is close."""
    by_folded = {each.casefold(): each for each in names}
    close = get_close_matches(name.casefold(), by_folded, 1, cutoff)
    return by_folded[close[0]] if close else None
