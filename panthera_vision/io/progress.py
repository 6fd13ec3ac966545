"""Progress of long work: a bar on a terminal, a line now and then in a log."""

import os
import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar(
    description: str, unit: str, total: int, items: Iterable[Any] | None = None
) -> "tqdm[Any]":
    """A bar for `total` units of work; nothing is shown where there is none.

    Of several processes that share the work, only the first shows its own.

    Args:
        description: what is being done, in a word.
        unit: what is counted, in the singular.
        total: how many there are.
        items: iterated through the bar where given; else the caller updates it.
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
