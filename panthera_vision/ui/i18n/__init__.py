"""Translate the apps' texts (en.yaml, ru.yaml), and format numbers, for the page's language."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.images.kinds import KINDS

LANGUAGES: dict[Language, str] = {"en": "English", "ru": "Русский"}

# From here on, rounding would make it one.
_NEARLY_ONE = 0.9995
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~$:]")


@cache
def load_texts(language: Language) -> dict[str, dict[str, Any]]:
    """Load a language's texts by section and key: a string, or one string per plural form."""
    path = Path(__file__).with_name(f"{language}.yaml")
    texts: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return texts


def choose_language(requested: str | None, browser: str | None) -> Language:
    """Return the language that the address requests, or else the browser's, or English."""
    for wish in (requested, browser):
        code = (wish or "").lower().split("-")[0]
        for language in LANGUAGES:
            if code == language:
                return language
    return "en"


def plural_category(count: int, language: Language) -> str:
    """Return the CLDR plural category of a whole number.

    >>> [plural_category(count, "ru") for count in (1, 3, 5, 11, 21)]
    ['one', 'few', 'many', 'many', 'one']
    """
    if language == "en":
        return "one" if count == 1 else "other"
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else "many"


def plain(words: str) -> str:
    """Escape untrusted `words` for Markdown, on one line."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(words.split()))


@dataclass(frozen=True)
class Translator:
    """Translate the texts of one section of the YAML files, and of the section `shared`."""

    section: str
    language: Language

    def __call__(self, key: str, **values: Any) -> str:
        """Return the text under `key`; a plural form is chosen by the value `count`."""
        texts = load_texts(self.language)
        text = texts[self.section].get(key) or texts["shared"][key]
        if isinstance(text, dict):
            text = text[plural_category(values["count"], self.language)]
        return str(text.format(**values))

    def reason(self, reason: str) -> str:
        """Return why a row or a file is left out; an unknown reason in the code's own words."""
        text = str(load_texts(self.language)["reasons"].get(reason) or plain(reason))
        return text.replace("{kinds}", KINDS)

    def species(self, name: str) -> str:
        """Return the common name of a species; its scientific name if no other is known."""
        return common_name(name, self.language)

    def percent(self, share: float, digits: int = 1) -> str:
        """Format a share of 1 as a percentage, with the language's decimal sign and space."""
        if self.language == "ru":
            return f"{share * 100:.{digits}f}\N{NO-BREAK SPACE}%".replace(".", ",")
        return f"{share:.{digits}%}"

    def probability(self, share: float) -> str:
        r"""Format a model's probability as a percentage; never 0% or 100%.

        >>> t = Translator("shared", "en")
        >>> t.probability(0.99999), t.probability(0.5), t.probability(0.00001)
        ('≥\xa099.9%', '50.0%', '≤\xa00.1%')
        """
        if share >= _NEARLY_ONE:
            return f"≥\N{NO-BREAK SPACE}{self.percent(0.999)}"
        if share < 1 - _NEARLY_ONE:
            return f"≤\N{NO-BREAK SPACE}{self.percent(0.001)}"
        return self.percent(share)

    def number(self, value: float) -> str:
        """Format a number with three decimals and the language's decimal sign."""
        return f"{value:.3f}".replace(".", ",") if self.language == "ru" else f"{value:.3f}"
