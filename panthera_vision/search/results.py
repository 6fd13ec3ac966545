"""Search results: groups of near-duplicate hits, as JSON models and as a CSV table."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pydantic import BaseModel, Field

from panthera_vision.data.coordinates import Coordinates, generalize
from panthera_vision.io.csv_safety import escape_csv_cell
from panthera_vision.io.csv_table import parse_number
from panthera_vision.search.index.photo_index import Hit

_DIGITS = 6
# A number is not a formula, even if it begins with a minus.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class HitGroup:
    """Hold the photo of a group that is most similar to the query, and the group's other photos."""

    best: Hit
    others: tuple[Hit, ...] = ()


class FoundPhoto(BaseModel):
    """Describe a photo of the collection; what the table does not say is empty."""

    similarity: float = Field(description="Cosine similarity to the query photo, -1 to 1.")
    id: str
    species: str
    taxon: str = Field(description="As identified, possibly a subspecies.")
    observer: str
    observed_on: str = Field(description="The day, as year-month-day.")
    taken_at: str = Field(description="Time as ISO 8601, of the camera or the observation.")
    place: str
    latitude: float | None = Field(description="In degrees north.")
    longitude: float | None = Field(description="In degrees east.")
    license: str = Field(description="Empty where all rights are reserved.")
    attribution: str
    observation_url: str
    image_url: str


# What the table says of each hit.
_TABLE_COLUMNS = tuple(FoundPhoto.model_fields)[1:]


class FoundGroup(FoundPhoto):
    """Describe the most similar photo of a group of near-duplicates, and the others."""

    near_duplicates: list[FoundPhoto] = Field(description="The most similar first.")


class SpeciesCount(BaseModel):
    """Count the hits that show a species."""

    species: str
    hits: int


class Agreement(BaseModel):
    """Summarize the species of the hits."""

    counts: list[SpeciesCount] = Field(description="The most frequent first.")
    majority: str | None = Field(description="The species of more than half of the hits.")

    @property
    def total(self) -> int:
        """Return the number of hits."""
        return sum(count.hits for count in self.counts)


class SimilarPhotos(BaseModel):
    """Describe what a search found."""

    hits: list[FoundGroup] = Field(description="The most similar first.")
    agreement: Agreement


def species_agreement(species: Sequence[str]) -> Agreement:
    """Count the species of hits; of equally frequent ones, the first among the hits leads."""
    counts = Counter(species).most_common()
    majority = counts[0][0] if counts and 2 * counts[0][1] > len(species) else None
    return Agreement(
        counts=[SpeciesCount(species=name, hits=hits) for name, hits in counts], majority=majority
    )


def describe_hits(
    photos: pd.DataFrame, groups: Sequence[HitGroup], coordinates: Coordinates = "exact"
) -> SimilarPhotos:
    """Describe hits with what the index's table `photos` says of them, in their order.

    Args:
        photos: the index's table.
        groups: the hits.
        coordinates: whether they are exact, to a tenth of a degree, or left out.
    """
    hits = [
        FoundGroup(
            **_describe(photos, group.best, coordinates),
            near_duplicates=[
                FoundPhoto(**_describe(photos, hit, coordinates)) for hit in group.others
            ],
        )
        for group in groups
    ]
    return SimilarPhotos(hits=hits, agreement=species_agreement([hit.species for hit in hits]))


def results_csv(photos: pd.DataFrame, groups: Sequence[HitGroup]) -> bytes:
    """Write hits as CSV for spreadsheets: one line per photo, near-duplicates below their hit.

    UTF-8 with a byte order mark, by which spreadsheets detect the encoding.
    """
    lines = []
    for rank, group in enumerate(groups, start=1):
        for hit in (group.best, *group.others):
            photo = photos.iloc[hit.row]
            values = {name: _cell(str(photo.get(name, ""))) for name in _TABLE_COLUMNS}
            fold = "" if hit is group.best else "near-duplicate"
            lines.append(
                {"rank": rank, "fold": fold, "similarity": f"{hit.similarity:.4f}"} | values
            )
    table = pd.DataFrame(lines, columns=["rank", "fold", "similarity", *_TABLE_COLUMNS])
    return table.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _describe(photos: pd.DataFrame, hit: Hit, coordinates: Coordinates) -> dict[str, Any]:
    photo = photos.iloc[hit.row]
    known: dict[str, Any] = {name: str(photo.get(name, "")) for name in _TABLE_COLUMNS}
    for name in ("latitude", "longitude"):
        known[name] = generalize(parse_number(known[name]), coordinates)
    return {"similarity": round(hit.similarity, _DIGITS)} | known


def _cell(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else escape_csv_cell(text)
