"""A chart together with its words, for those who can't see it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DescribedChart:
    """A chart of Altair, and what it shows in words."""

    chart: Any
    words: str
