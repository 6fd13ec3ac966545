"""Groups of search hits: the best photo of a near-duplicate group, and the rest of the group."""

from dataclasses import dataclass

from panthera_vision.search.index.photo_index import Hit


@dataclass(frozen=True)
class HitGroup:
    """Hold the photo of a group that is most similar to the query, and the group's other photos."""

    best: Hit
    others: tuple[Hit, ...] = ()
