"""Results with near-duplicates folded: one hit a group, and the others of the group behind it."""

from dataclasses import dataclass

import numpy as np

from panthera_vision.search.engine import Selection
from panthera_vision.search.index import Hit, PhotoIndex


@dataclass(frozen=True)
class FoldedHit:
    """The photo of a group that is most similar to the query, and the group's others."""

    best: Hit
    others: tuple[Hit, ...] = ()


def search_folded(
    index: PhotoIndex,
    query: np.ndarray,
    count: int,
    selection: Selection | None = None,
    without: int | None = None,
) -> list[FoldedHit]:
    """The `count` groups most similar to `query`, by the best photo of each.

    Args:
        index: what is searched.
        query: an L2-normalised embedding (dimension,).
        count: how many groups; fewer come back only where fewer are there.
        selection: only these photos, chosen within the search; None for all.
        without: the row of a photo that is to be left out.

    Returns:
        The groups, best first; each one's others are in order of similarity as well.
    """
    allowed = np.arange(len(index.table)) if selection is None else selection.rows
    groups = index.groups
    depth = min(max(2 * count, 1), len(allowed))
    while True:
        hits = index.search(query, depth, selection, without)
        if len({int(groups[hit.row]) for hit in hits}) >= count or depth >= len(allowed):
            break
        depth = min(4 * depth, len(allowed))
    best: dict[int, Hit] = {}
    for hit in hits:
        best.setdefault(int(groups[hit.row]), hit)
    chosen = dict(list(best.items())[:count])
    # Others of a chosen group may lie deeper than the search went.
    members = allowed[np.isin(groups[allowed], list(chosen))]
    others: dict[int, list[Hit]] = {group: [] for group in chosen}
    for hit in index.search(query, len(members), Selection(members), without):
        group = int(groups[hit.row])
        if hit.row != chosen[group].row:
            others[group].append(hit)
    return [FoldedHit(hit, tuple(others[group])) for group, hit in chosen.items()]


def unfolded(hits: list[Hit]) -> list[FoldedHit]:
    """Hits as they are, none folded behind another."""
    return [FoldedHit(hit) for hit in hits]
