"""Progress bars: continuous on a terminal, occasional lines in a log file."""

import os
import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar(
    description: str, unit: str, total: int, items: Iterable[Any] | None = None
) -> "tqdm[Any]":
    """Return a progress bar for `total` units (a singular noun); hidden where there are none.

    It iterates over `items` where given; otherwise the caller updates it. In a distributed run
    only the process of rank 0 shows its bar.
    """
    return tqdm(
        items,
        total=total,
        desc=description,
        unit=unit,
        disable=total == 0 or os.environ.get("RANK", "0") != "0",
        mininterval=0.2 if sys.stderr.isatty() else 15,
        maxinterval=0.2 if sys.stderr.isatty() else 30,
    )
