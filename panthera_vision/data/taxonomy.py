"""Reduce scientific names to species, and translate them to common names in two languages."""

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
# No name is nearly as long, and the regular expression is slow on a very long one.
_LONGEST_NAME = 300


def species_of(scientific_name: str) -> str | None:
    """Return the species that a taxon belongs to, or None for a higher rank or a hybrid.

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
