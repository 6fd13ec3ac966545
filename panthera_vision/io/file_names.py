"""Find files whose names a table or a command line spells differently than the disk does."""

import os
import unicodedata
from functools import lru_cache
from pathlib import Path


def find_spelling(path: Path) -> Path | None:
    """Return the existing path that `path` stands for; None if there is none.

    Names may differ in their Unicode form (NFC or NFD, as macOS and Windows write them), in
    upper and lower case if only one file fits, and in backslashes as separators.
    """
    if os.path.lexists(path):
        return path
    found = _find_parts(path)
    if found is None and "\\" in str(path):
        found = find_spelling(Path(str(path).replace("\\", "/")))
    return found


def _find_parts(path: Path) -> Path | None:
    found = Path(path.anchor)
    for part in path.relative_to(found).parts:
        if os.path.lexists(found / part):
            found = found / part
            continue
        try:
            names = _names_by_form(str(found), found.stat().st_mtime_ns)
        except OSError:
            return None
        form = unicodedata.normalize("NFC", part)
        candidates = names.get(form) or names.get(form.casefold(), [])
        if len(candidates) != 1:
            return None
        found = found / candidates[0]
    return found


@lru_cache(maxsize=64)
def _names_by_form(folder: str, changed: int) -> dict[str, list[str]]:
    """Return the names of a folder by their NFC form, and by that in lower case."""
    names: dict[str, list[str]] = {}
    for name in (path.name for path in Path(folder).iterdir()):
        form = unicodedata.normalize("NFC", name)
        for key in {form, form.casefold()}:
            names.setdefault(key, []).append(name)
    return names
