"""Names of taxa: scientific names as written, and common names in two languages."""

import re
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

_SUBGENUS = re.compile(r"\s*\([^)]*\)")
_EPITHET = re.compile(r"[a-z]+(-[a-z]+)*")
_GENUS = re.compile(r"[A-Z][a-z]+")
# No name is nearly as long, and to look for brackets in a very long one takes very long.
_LONGEST_NAME = 300


def species_of(scientific_name: str) -> str | None:
    """The species that a taxon belongs to, or None for a rank above it or a hybrid.

    >>> species_of("Panthera leo melanochaita")
    'Panthera leo'
    >>> species_of("Panthera") is None
    True
    """
    if len(scientific_name) > _LONGEST_NAME:
        return None
    words = _SUBGENUS.sub("", scientific_name).split()
    if len(words) < 2 or "×" in words or "x" in words:
        return None
    genus, epithet = words[0].capitalize(), words[1].lower()
    if not _GENUS.fullmatch(genus) or not _EPITHET.fullmatch(epithet):
        return None
    return f"{genus} {epithet}"


def is_binomial(name: str) -> bool:
    """Whether `name` is a species' name and nothing else, fit for a folder and a page.

    >>> is_binomial("Panthera leo"), is_binomial("../Panthera leo")
    (True, False)
    """
    return species_of(name) == name


def common_name(species: str, language: Language) -> str:
    """The common name in `language`; the scientific one where no other is known."""
    return COMMON_NAMES.get(species, {}).get(language, species)


def folder_name(species: str) -> str:
    """The name of the folder that holds the photos of `species`."""
    return species.replace(" ", "_")
