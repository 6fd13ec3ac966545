"""Reduce scientific names to species, and translate them to common names in two languages."""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Literal

Language = Literal["en", "ru"]

COMMON_NAMES: dict[str, dict[Language, str]] = {
    "Panthera leo": {"en": "Lion", "ru": "Лев"},
    "Panthera onca": {"en": "Jaguar", "ru": "Ягуар"},
    "Panthera pardus": {"en": "Leopard", "ru": "Леопард"},
    "Panthera tigris": {"en": "Tiger", "ru": "Тигр"},
    "Panthera uncia": {"en": "Snow leopard", "ru": "Снежный барс"},
    "Acinonyx jubatus": {"en": "Cheetah", "ru": "Гепард"},
    "Caracal caracal": {"en": "Caracal", "ru": "Каракал"},
    "Leopardus pardalis": {"en": "Ocelot", "ru": "Оцелот"},
    "Lynx lynx": {"en": "Eurasian lynx", "ru": "Обыкновенная рысь"},
    "Neofelis nebulosa": {"en": "Clouded leopard", "ru": "Дымчатый леопард"},
    "Puma concolor": {"en": "Puma", "ru": "Пума"},
}

# Former names → accepted names. Sources: Wilson & Reeder, Mammal Species of the World, 3rd edition
# (2005), Carnivora; Kitchener et al., A revised taxonomy of the Felidae, Cat News Special Issue 11
# (2017).
_ACCEPTED_NAMES = {
    synonym: accepted
    for accepted, synonyms in {
        "Panthera leo": "Felis leo, Leo leo",
        "Panthera onca": "Felis onca, Leo onca, Jaguarius onca, Leopardus onca",
        "Panthera pardus": "Felis pardus, Leo pardus, Leopardus pardus",
        "Panthera tigris": "Felis tigris, Leo tigris, Tigris tigris, Tigris regalis",
        "Panthera uncia": "Felis uncia, Uncia uncia, Leo uncia, Leopardus uncia, Felis irbis, "
        "Uncia irbis, Panthera irbis",
        "Acinonyx jubatus": "Felis jubata, Felis jubatus, Cynailurus jubatus, Cynaelurus jubatus",
        "Caracal caracal": "Felis caracal, Lynx caracal, Profelis caracal",
        "Leopardus pardalis": "Felis pardalis",
        "Lynx lynx": "Felis lynx",
        "Neofelis nebulosa": "Felis nebulosa, Panthera nebulosa, Felis macroscelis",
        "Puma concolor": "Felis concolor, Profelis concolor",
        "Vulpes lagopus": "Alopex lagopus",
    }.items()
    for synonym in synonyms.split(", ")
}
_BY_COMMON_NAME = {
    name.casefold(): species for species, names in COMMON_NAMES.items() for name in names.values()
}
_SUBGENUS = re.compile(r"\s*\([^)]*\)")
_EPITHET = re.compile(r"[a-z]+(-[a-z]+)*")
_GENUS = re.compile(r"[A-Z][a-z]+")
_RANKS = {"subsp.", "ssp.", "var.", "f."}
# Of the names of authors.
_PARTICLES = {
    *("de", "da", "del", "der", "des", "di", "du"),
    *("et", "ex", "in", "la", "van", "von"),
}
# No name is nearly as long, and the regular expression is slow on a very long one.
_LONGEST_NAME = 300

# Signs that stand for ×, besides the letter x: those of other alphabets, and look-alikes.
_TIMES = "×✕✖✗✘⨉⨯╳❌хХχΧ*∗∙⋅"
_EPITHETS = "|".join(sorted({species.split()[1] for species in COMMON_NAMES}))
_HYBRID = re.compile(
    # A sign, alone or glued to a Latin word.
    rf"(^|[\sA-Za-z.()])[{_TIMES}]+([\sA-Za-z.()]|$)"
    # The letter x: alone, capital before a small letter, glued to an epithet, or before a
    # consonant, as no Latin word begins.
    r"|(^|[\s(])[xX]([\s.)]|$)|[a-z\s(]X[a-z]|\sx[b-df-hj-np-tv-xz]"
    rf"|\b({_EPITHETS})?x({_EPITHETS})\b"
    # The word, but not the epithets hybrida and hybridus.
    r"|\b(hybrids?|hybriden?|hybrides|hibridos?|ibrid[oi]|hyb|liger|tigon)\b|гибрид",
)
# Several species at once: "Panthera leo / Panthera pardus", "leo or pardus"; not two authors, whose
# names a year follows.
_SEVERAL = re.compile(r"(?!.*\b1[789]\d\d\b).*([/+&|]|\s(or|and|vs|или|и)\s)", re.IGNORECASE)


def is_hybrid(scientific_name: str) -> bool:
    """Return whether a name is that of a hybrid, however × is written.

    >>> is_hybrid("Panthera leo × tigris"), is_hybrid("Panthera leo X tigris"), is_hybrid("Lynx")
    (True, True, False)
    """
    return len(scientific_name) <= _LONGEST_NAME and _is_hybrid(scientific_name)


@lru_cache(maxsize=4096)  # a million rows have few names
def _is_hybrid(scientific_name: str) -> bool:
    # NFKD: an accent is a character of its own, which the search leaves out.
    text = unicodedata.normalize("NFKD", html.unescape(scientific_name))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    words = " ".join(text.split())
    return bool(_HYBRID.search(words) or _HYBRID.search(words.lower()))


@lru_cache(maxsize=10_000)  # tables of a million rows have few names
def species_of(scientific_name: str) -> str | None:
    """Return the species that a taxon belongs to, or None for a higher rank or a hybrid.

    >>> species_of("Panthera leo melanochaita")
    'Panthera leo'
    >>> species_of("Panthera") is None
    True
    """
    if len(scientific_name) > _LONGEST_NAME or is_hybrid(scientific_name):
        return None
    words = _SUBGENUS.sub("", scientific_name).split()
    if len(words) < 2 or _SEVERAL.match(" ".join(words)):
        return None
    genus, epithet = words[0].capitalize(), words[1].lower()
    if not _GENUS.fullmatch(genus) or not _EPITHET.fullmatch(epithet):
        return None
    return f"{genus} {epithet}"


def without_authorship(scientific_name: str) -> str:
    """Return a name without the subgenus, the authors and the year.

    >>> without_authorship("Panthera pardus saxicolor Pocock, 1927")
    'Panthera pardus saxicolor'
    >>> without_authorship("Felis (Panthera) leo (Linnaeus, 1758)"), without_authorship("Lynx Kerr")
    ('Felis leo', 'Lynx')
    """
    if len(scientific_name) > _LONGEST_NAME or is_hybrid(scientific_name):
        return scientific_name
    words = _SUBGENUS.sub("", scientific_name).split()
    kept = words[:1]
    for word in words[1:]:
        if word in _PARTICLES or not (_EPITHET.fullmatch(word) or word in _RANKS):
            break
        kept.append(word)
    return " ".join(word for word in kept if word not in _RANKS)


def accepted_name(species: str) -> str:
    """Return the accepted name of a species that is given by a known synonym, else the same.

    >>> accepted_name("Uncia uncia"), accepted_name("Panthera leo")
    ('Panthera uncia', 'Panthera leo')
    """
    return _ACCEPTED_NAMES.get(species, species)


def species_with_common_name(name: str) -> str | None:
    """Return the species with a common name in any language of `COMMON_NAMES`, or None."""
    return _BY_COMMON_NAME.get(" ".join(name.split()).casefold())


def species_of_folder(name: str) -> str | None:
    """Return the species that a folder is named after, or None.

    It may be the scientific name, a synonym or a common name, also in the plural, with blanks,
    underscores or hyphens, in any case.

    >>> species_of_folder("panthera_LEO"), species_of_folder("snow-leopards")
    ('Panthera leo', 'Panthera uncia')
    """
    words = " ".join(re.split(r"[\s_-]+", name.strip()))
    common = species_with_common_name(words) or species_with_common_name(
        words.casefold().removesuffix("s")
    )
    species = species_of(words.casefold())
    return common or (accepted_name(species) if species else None)


def is_binomial(name: str) -> bool:
    """Return whether `name` is the name of a species and nothing else, safe as a folder name.

    >>> is_binomial("Panthera leo"), is_binomial("../Panthera leo")
    (True, False)
    """
    return species_of(name) == name


def common_name(species: str, language: Language) -> str:
    """Return the common name in `language`, or the scientific name where none is known."""
    return COMMON_NAMES.get(species, {}).get(language, species)


def folder_name(species: str) -> str:
    """Return the name of the folder with the photos of `species`."""
    return species.replace(" ", "_")
