"""Similarity search by photo or embedding, with filters and near-duplicate grouping.

`Searcher` is what the app, the batch command and the service call.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from panthera_vision.inference.predictor import Predictor
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index.backend import RowFilter
from panthera_vision.search.index.photo_index import Hit, PhotoIndex
from panthera_vision.search.results import HitGroup

# The last few filters' rows are kept: a visitor or a batch asks many times with the same one.
_FILTERS_CACHED = 4


@dataclass(frozen=True)
class SearchResult:
    """Hold the groups found, most similar first, and how many photos pass the filter."""

    groups: list[HitGroup]
    matching: int


class Searcher:
    """Search a photo index with the network that made it. All methods are thread-safe.

    Attributes:
        predictor: the classifier.
        index: the embeddings of the collection and its table.
        embedder: turns photos into vectors like those of the index, by the classifier or by the
            index's own feature network.
    """

    def __init__(self, predictor: Predictor, index: PhotoIndex) -> None:
        """
        Raises:
            ForeignIndexError: another model made the index.
        """
        self.predictor = predictor
        self.index = index
        self.embedder = index.embedder(predictor)
        self._matching = lru_cache(_FILTERS_CACHED)(index.columns.matching_rows)

    def embed(self, photo: Image.Image) -> np.ndarray:
        """Return the L2-normalized embedding (dimension,) of an RGB photo."""
        return self.embedder.embedding(photo)

    def search(
        self,
        query: np.ndarray | Image.Image,
        k: int = 10,
        *,
        where: PhotoFilter | None = None,
        group_duplicates: bool = True,
        exclude: int | None = None,
    ) -> SearchResult:
        """Find the `k` photos most similar to `query`.

        Args:
            query: an RGB photo, or an embedding (dimension,) by `embed`.
            k: number of groups; fewer come back only if the collection has fewer that pass.
            where: return only photos that pass; the filter applies inside the search, so `k`
                come back even if few of the nearest pass.
            group_duplicates: collapse near-duplicates into one group; else each photo is a group.
            exclude: row of a photo to leave out, such as the query's own.
        """
        vector = query if isinstance(query, np.ndarray) else self.embed(query)
        row_filter, matching = None, len(self.index.table)
        if where is not None and where.parts_in_use:
            row_filter = RowFilter(self._matching(where), where)
            matching = len(row_filter.rows)
        if group_duplicates:
            return SearchResult(
                _search_grouped(self.index, vector, k, row_filter, exclude), matching
            )
        hits = self.index.search(vector, k, row_filter, exclude)
        return SearchResult([HitGroup(hit) for hit in hits], matching)


def _search_grouped(
    index: PhotoIndex,
    query: np.ndarray,
    k: int,
    row_filter: RowFilter | None,
    exclude: int | None,
) -> list[HitGroup]:
    """Return the `k` near-duplicate groups most similar to `query`, ranked by their best photo."""
    groups = index.groups
    matching = len(index.table) if row_filter is None else len(row_filter.rows)
    depth = min(max(2 * k, 1), matching)
    while True:
        hits = index.search(query, depth, row_filter, exclude)
        if len({int(groups[hit.row]) for hit in hits}) >= k or depth >= matching:
            break
        depth = min(4 * depth, matching)
    best: dict[int, Hit] = {}
    for hit in hits:
        best.setdefault(int(groups[hit.row]), hit)
    best = dict(list(best.items())[:k])
    others: dict[int, list[Hit]] = {group: [] for group in best}
    # Other photos of a group may lie deeper than the search went.
    members = index.members_of(list(best))
    if row_filter is not None:
        members = members[np.isin(members, row_filter.rows)]
    if len(members) > len(best):
        for hit in index.search(query, len(members), RowFilter(members), exclude):
            group = int(groups[hit.row])
            if hit.row != best[group].row:
                others[group].append(hit)
    return [HitGroup(hit, tuple(others[group])) for group, hit in best.items()]
