"""Write and read species as SpeciesNet does: GUID;class;order;family;genus;species;common name."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from panthera_vision.data.taxonomy import (
    COMMON_NAMES,
    accepted_name,
    common_name,
    species_of,
    species_with_common_name,
)

Kind = Literal["animal", "blank", "human", "vehicle", "unknown"]

# The identifiers that SpeciesNet gave to the species (taxonomy_release.txt of its version 4).
_GUIDS = {
    "Panthera leo": "ddf59264-185a-4d35-b647-2785792bdf54",
    "Panthera onca": "9b7fea59-cfa3-499c-a420-bcf36277dcd8",
    "Panthera pardus": "aa73e0ac-973d-461d-914a-d2fa6e4b98a4",
    "Panthera tigris": "e1c6c5b2-b808-4d50-bf01-90aa46f964c2",
    "Panthera uncia": "07153810-54e6-4a5c-85a4-1968d82def4c",
    "Puma concolor": "9c564562-9429-405c-8529-04cff7752282",
}
_PARTS = 7  # of a label
_NO_ANIMALS: dict[str, Kind] = {
    "blank": "blank",
    "empty": "blank",
    "human": "human",
    "person": "human",
    "vehicle": "vehicle",
}
_NO_ANSWERS = ("unknown", "unidentified")
_FELIDAE = "mammalia;carnivora;felidae"  # the family of all species with a common name here


def speciesnet_label(species: str) -> str:
    """Return a species' label; parts that are not known are empty.

    >>> speciesnet_label("Panthera uncia")
    '07153810-54e6-4a5c-85a4-1968d82def4c;mammalia;carnivora;felidae;panthera;uncia;snow leopard'
    >>> speciesnet_label("Vulpes vulpes")
    ';;;;vulpes;vulpes;vulpes vulpes'
    >>> speciesnet_label("none of these")
    ';;;;;;none of these'
    """
    guid, family = _GUIDS.get(species, ""), _FELIDAE if species in COMMON_NAMES else ";;"
    words = species.split() if species[:1].isupper() else []
    genus, epithet = words if len(words) == 2 else ("", "")
    return f"{guid};{family};{genus.lower()};{epithet.lower()};{english_name(species)}"


def english_name(species: str) -> str:
    """Return the common name in English as SpeciesNet writes it, in lower case.

    >>> english_name("Panthera onca")
    'jaguar'
    """
    return common_name(species, "en").lower()


@dataclass(frozen=True)
class SpeciesNetLabel:
    """Hold what SpeciesNet says is on a photo.

    Attributes:
        kind: animal, blank, human or vehicle; unknown without an answer.
        ranks: class, order, family, genus and epithet in lower case, "" where not known.
        common_name: in English.
    """

    kind: Kind
    ranks: tuple[str, ...] = ("",) * 5
    common_name: str = ""

    @property
    def species(self) -> str:
        """Return the accepted name of the species; "" for a higher taxon or no animal."""
        genus, epithet = self.ranks[3:]
        return accepted_name(f"{genus.capitalize()} {epithet}") if genus and epithet else ""

    @property
    def name(self) -> str:
        """Return the species, else the lowest taxon, else the common name or the kind."""
        taxon = next((rank.capitalize() for rank in reversed(self.ranks[:4]) if rank), "")
        return self.species or taxon or self.common_name or self.kind

    def may_be(self, species: str) -> bool:
        """Return whether a species belongs to the taxon of the label, as far as is known.

        >>> parse_label(";mammalia;carnivora;felidae;panthera;;panthera species").may_be(
        ...     "Panthera leo"
        ... )
        True
        """
        ranks = parse_label(speciesnet_label(species)).ranks
        return self.kind == "animal" and all(
            mine == other for mine, other in zip(self.ranks, ranks, strict=True) if mine and other
        )


@lru_cache(maxsize=10_000)  # SpeciesNet has about 3,500 labels
def parse_label(text: str) -> SpeciesNetLabel:
    """Parse a label as SpeciesNet writes it, or the name of a species or kind alone.

    >>> parse_label("f1856211-cfb7-4a5b-9158-c0f72fd09ee6;;;;;;blank").kind
    'blank'
    >>> parse_label("Snow leopard").species
    'Panthera uncia'
    """
    text = text.encode("utf-8", "replace").decode()  # JSON may hold half a surrogate pair
    parts = [part.strip().lower() for part in text.split(";")]
    if len(parts) != _PARTS:
        name = " ".join(text.split())
        species = species_with_common_name(name) or species_of(name)
        if species:
            return parse_label(speciesnet_label(accepted_name(species)))
        parts = [*[""] * (_PARTS - 1), name.lower()]
    ranks, common = tuple(parts[1:-1]), parts[-1]
    if "no cv result" in parts or not (any(ranks) or common) or common in _NO_ANSWERS:
        return SpeciesNetLabel("unknown")
    kind = "human" if ranks[3] == "homo" else _NO_ANIMALS.get(common, "animal")
    return SpeciesNetLabel(kind, ranks, common)
