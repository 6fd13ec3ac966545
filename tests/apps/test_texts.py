import string

import pytest

from panthera_vision.apps.intake import MAXIMUM_UPLOAD_BYTES, take_upload
from panthera_vision.apps.texts import (
    CLASSIFICATION,
    DATA,
    LANGUAGES,
    QUALITY,
    REASONS,
    SEARCH,
    choose_language,
    number,
    percent,
    text,
)
from panthera_vision.taxa import Language

Texts = dict[str, dict[Language, str]]


@pytest.mark.parametrize("texts", [CLASSIFICATION, DATA, QUALITY, REASONS, SEARCH])
def test_every_text_is_there_in_both_languages_with_the_same_places(texts: Texts) -> None:
    for key, translations in texts.items():
        assert set(translations) == set(LANGUAGES), key
        places = {
            frozenset(name for _, name, _, _ in string.Formatter().parse(words) if name)
            for words in translations.values()
        }
        assert len(places) == 1, key


@pytest.mark.parametrize(
    ("asked", "browser", "language"),
    [
        ("ru", "en-US", "ru"),
        (None, "ru-RU", "ru"),
        (None, "de-DE", "en"),
        ("xx", "ru", "ru"),
        (None, None, "en"),
    ],
)
def test_the_address_wins_over_the_browser(
    asked: str | None, browser: str | None, language: str
) -> None:
    assert choose_language(asked, browser) == language


def test_numbers_follow_the_language() -> None:
    assert percent(0.8765, "en") == "87.6%"
    assert percent(0.8765, "ru") == "87,6\N{NO-BREAK SPACE}%"
    assert number(0.5, "ru") == "0,500"


def test_refusals_have_words_in_both_languages() -> None:
    for data in (b"", b"<html>", b"\xff\xd8\xff\xe0broken", b"x" * (MAXIMUM_UPLOAD_BYTES + 1)):
        upload = take_upload("x.jpg", data)
        assert upload.photo is None
        for language in LANGUAGES:
            assert text(CLASSIFICATION, language, upload.reason) != upload.reason
