"""What is said of a photo found, the same in JSON, in tables and to other programs."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from pydantic import BaseModel, Field

from panthera_vision.search.agreement import agreement_of
from panthera_vision.search.index.photo_index import Hit
from panthera_vision.search.results import HitGroup

# What the photos' table says of each hit; a column that it lacks stays empty.
DESCRIBING_COLUMNS = (
    "id",
    "species",
    "taxon",
    "observer",
    "observed_on",
    "place",
    "latitude",
    "longitude",
    "license",
    "attribution",
    "observation_url",
    "image_url",
)
_DIGITS = 6


class FoundPhoto(BaseModel):
    """A photo of the collection, and how similar it is. What is not known of it is empty."""

    similarity: float = Field(description="Cosine similarity to the photo asked about, -1 to 1.")
    id: str
    species: str
    taxon: str = Field(description="As identified, which may be a subspecies.")
    observer: str
    observed_on: str = Field(description="The day, as year-month-day.")
    place: str
    latitude: float | None = Field(description="In degrees north.")
    longitude: float | None = Field(description="In degrees east.")
    license: str = Field(description="Empty where all rights are reserved.")
    attribution: str
    observation_url: str
    image_url: str


class FoundGroup(FoundPhoto):
    """The most similar photo of a group of near-duplicates, and the others."""

    near_duplicates: list[FoundPhoto] = Field(description="The most similar first.")


class SpeciesCount(BaseModel):
    """How many of the hits show a species."""

    species: str
    hits: int


class HitsAgreement(BaseModel):
    """What the hits have in common."""

    counts: list[SpeciesCount] = Field(description="The most frequent first.")
    majority: str | None = Field(description="The species of more than half of the hits.")


class SimilarPhotos(BaseModel):
    """What a search found."""

    hits: list[FoundGroup] = Field(description="The most similar first.")
    agreement: HitsAgreement


def describe_hits(photos: pd.DataFrame, hits: Sequence[HitGroup]) -> SimilarPhotos:
    """All that is known of hits, in their order.

    Args:
        photos: the index's table.
        hits: of a search in it.
    """
    species = [str(photos["species"].iat[folded.best.row]) for folded in hits]
    agreement = agreement_of(species)
    return SimilarPhotos(
        hits=[
            FoundGroup(
                **_described(photos, folded.best),
                near_duplicates=[
                    FoundPhoto.model_validate(_described(photos, other)) for other in folded.others
                ],
            )
            for folded in hits
        ],
        agreement=HitsAgreement(
            counts=[SpeciesCount(species=name, hits=count) for name, count in agreement.counts],
            majority=agreement.majority,
        ),
    )


def _described(photos: pd.DataFrame, hit: Hit) -> dict[str, Any]:
    photo = photos.iloc[hit.row]
    known: dict[str, Any] = {name: str(photo.get(name, "")) for name in DESCRIBING_COLUMNS}
    for name in ("latitude", "longitude"):
        known[name] = _number(known[name])
    return {"similarity": round(hit.similarity, _DIGITS)} | known


def _number(words: str) -> float | None:
    """The number that a table has, None where it has none that JSON could say."""
    try:
        number = float(words)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
