"""Words, numbers and the language that a page is in."""

import re
from collections.abc import Mapping

from panthera_vision.data.taxonomy import Language

LANGUAGES: dict[Language, str] = {"en": "English", "ru": "Русский"}

# From here on, rounding would make it one.
_NEARLY_ONE = 0.9995
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~$:]")


def choose_language(asked: str | None, browser: str | None) -> Language:
    """The language that the address asks for, or the browser's, or English."""
    for wish in (asked, browser):
        code = (wish or "").lower().split("-")[0]
        for language in LANGUAGES:
            if code == language:
                return language
    return "en"


def text(
    texts: Mapping[str, Mapping[Language, str]], language: Language, key: str, **values: object
) -> str:
    """The text under `key`; the key itself where the apps have no words for it."""
    translations = texts.get(key)
    return translations[language].format(**values) if translations else key


def plain(words: str) -> str:
    """`words` of strangers, shown as they are, on one line, where Markdown is expected."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(words.split()))


def percent(share: float, language: Language, digits: int = 1) -> str:
    """A share of 1 as a percentage, with the language's decimal sign and space."""
    if language == "ru":
        return f"{share * 100:.{digits}f}\N{NO-BREAK SPACE}%".replace(".", ",")
    return f"{share:.{digits}%}"


def probability(share: float, language: Language) -> str:
    r"""A model's probability as a percentage; never all or nothing, which no model can know.

    >>> probability(0.99999, "en"), probability(0.5, "en"), probability(0.00001, "en")
    ('≥\xa099.9%', '50.0%', '≤\xa00.1%')
    """
    if share >= _NEARLY_ONE:
        return f"≥\N{NO-BREAK SPACE}{percent(0.999, language)}"
    if share < 1 - _NEARLY_ONE:
        return f"≤\N{NO-BREAK SPACE}{percent(0.001, language)}"
    return percent(share, language)


def number(value: float, language: Language) -> str:
    """A number with three decimals and the language's decimal sign."""
    return f"{value:.3f}".replace(".", ",") if language == "ru" else f"{value:.3f}"
