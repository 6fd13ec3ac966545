"""What the neighbours of a photo have in common."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """How the species of a search's hits are distributed, the most frequent first."""

    counts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """How many hits there are."""
        return sum(count for _, count in self.counts)

    @property
    def majority(self) -> str | None:
        """The species of more than half of the hits, if there is one."""
        if not self.counts:
            return None
        species, count = self.counts[0]
        return species if 2 * count > self.total else None


def agreement_of(species: Sequence[str]) -> Agreement:
    """Count the species of hits; among equals, the one that comes first in the hits leads."""
    return Agreement(tuple(Counter(species).most_common()))
