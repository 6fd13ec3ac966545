"""Words, numbers and the language that a page is in."""

import re
from collections.abc import Mapping

from panthera_vision.taxa import Language

LANGUAGES: dict[Language, str] = {"en": "English", "ru": "Русский"}

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


def percent(share: float, language: Language) -> str:
    """A share of 1 as a percentage, with the language's decimal sign and space."""
    if language == "ru":
        return f"{share * 100:.1f}\N{NO-BREAK SPACE}%".replace(".", ",")
    return f"{share:.1%}"


def number(value: float, language: Language) -> str:
    """A number with three decimals and the language's decimal sign."""
    return f"{value:.3f}".replace(".", ",") if language == "ru" else f"{value:.3f}"
