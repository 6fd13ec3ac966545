"""Decide whether this app may write corrections: only if it was started for that."""

import os
import sys
from pathlib import Path

OPTION = "--review"
VARIABLE = "PANTHERA_REVIEW"


def is_review_allowed() -> bool:
    """Return whether the app was started with `-- --review` or with PANTHERA_REVIEW=1."""
    return OPTION in sys.argv[1:] or os.environ.get(VARIABLE, "") == "1"


def is_writable(file: Path) -> bool:
    """Return whether `file` can be replaced, which takes a folder that can be written to."""
    return os.access(file.parent, os.W_OK) and (not file.exists() or os.access(file, os.W_OK))
