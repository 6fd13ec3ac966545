"""Write species as SpeciesNet does: GUID;class;order;family;genus;species;common name."""

from panthera_vision.data.taxonomy import COMMON_NAMES, common_name

# The identifiers that SpeciesNet gave to the species (taxonomy_release.txt of its version 4).
_GUIDS = {
    "Panthera leo": "ddf59264-185a-4d35-b647-2785792bdf54",
    "Panthera onca": "9b7fea59-cfa3-499c-a420-bcf36277dcd8",
    "Panthera pardus": "aa73e0ac-973d-461d-914a-d2fa6e4b98a4",
    "Panthera tigris": "e1c6c5b2-b808-4d50-bf01-90aa46f964c2",
    "Panthera uncia": "07153810-54e6-4a5c-85a4-1968d82def4c",
    "Puma concolor": "9c564562-9429-405c-8529-04cff7752282",
}
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
