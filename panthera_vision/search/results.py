"""Results with near-duplicates folded: one hit a group, and the others of the group behind it."""

from dataclasses import dataclass

import numpy as np

from panthera_vision.search.index.backend import RowFilter
from panthera_vision.search.index.photo_index import Hit, PhotoIndex


@dataclass(frozen=True)
class HitGroup:
    """The photo of a group that is most similar to the query, and the group's others."""

    best: Hit
    others: tuple[Hit, ...] = ()


def search_grouped(
    index: PhotoIndex,
    query: np.ndarray,
    count: int,
    selection: RowFilter | None = None,
    without: int | None = None,
) -> list[HitGroup]:
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
    there = len(index.table) if selection is None else len(selection.rows)
    groups = index.groups
    depth = min(max(2 * count, 1), there)
    while True:
        hits = index.search(query, depth, selection, without)
        if len({int(groups[hit.row]) for hit in hits}) >= count or depth >= there:
            break
        depth = min(4 * depth, there)
    best: dict[int, Hit] = {}
    for hit in hits:
        best.setdefault(int(groups[hit.row]), hit)
    chosen = dict(list(best.items())[:count])
    others: dict[int, list[Hit]] = {group: [] for group in chosen}
    # Others of a chosen group may lie deeper than the search went.
    members = index.members_of(list(chosen))
    if selection is not None:
        members = members[np.isin(members, selection.rows)]
    if len(members) > len(chosen):
        for hit in index.search(query, len(members), RowFilter(members), without):
            group = int(groups[hit.row])
            if hit.row != chosen[group].row:
                others[group].append(hit)
    return [HitGroup(hit, tuple(others[group])) for group, hit in chosen.items()]


def ungrouped(hits: list[Hit]) -> list[HitGroup]:
    """Hits as they are, none folded behind another."""
    return [HitGroup(hit) for hit in hits]
