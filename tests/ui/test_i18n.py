import io
import string

import pytest
from PIL import Image

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n import (
    CLASSIFICATION,
    DATA,
    LANGUAGES,
    QUALITY,
    REASONS,
    SEARCH,
    choose_language,
    number,
    percent,
    probability,
    text,
)
from panthera_vision.ui.uploads import MAXIMUM_UPLOAD_BYTES, take_upload

from ..conftest import draw_photo

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
    assert percent(0.96, "ru", digits=0) == "96\N{NO-BREAK SPACE}%"
    assert number(0.5, "ru") == "0,500"


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "≥\N{NO-BREAK SPACE}99.9%"),
        (0.9994, "99.9%"),
        (0.5, "50.0%"),
        (0.0006, "0.1%"),
        (0.0, "≤\N{NO-BREAK SPACE}0.1%"),
    ],
)
def test_no_probability_is_all_or_nothing(share: float, words: str) -> None:
    assert probability(share, "en") == words
    assert probability(share, "ru") == words.replace(".", ",").replace("%", "\N{NO-BREAK SPACE}%")


def test_refusals_have_words_in_both_languages() -> None:
    for data in (b"", b"<html>", b"\xff\xd8\xff\xe0broken", b"x" * (MAXIMUM_UPLOAD_BYTES + 1)):
        upload = take_upload("x.jpg", data)
        assert upload.photo is None
        for language in LANGUAGES:
            assert text(CLASSIFICATION, language, upload.reason) != upload.reason


def test_heic_photos_are_taken() -> None:
    buffer = io.BytesIO()
    draw_photo("Panthera leo", 1, (64, 48)).save(buffer, "HEIF")
    upload = take_upload("IMG_0001.HEIC", buffer.getvalue())
    assert upload.photo is not None
    assert (upload.photo.mode, upload.photo.size) == ("RGB", (64, 48))


@pytest.mark.parametrize("format", ["WEBP", "JPEG"])
def test_photos_of_phones_are_taken_upright(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    buffer = io.BytesIO()
    draw_photo("Panthera leo", 1, (64, 48)).save(buffer, format, exif=exif)
    upload = take_upload("x", buffer.getvalue())
    assert upload.photo is not None
    assert upload.photo.mode == "RGB"
    assert upload.photo.size == (48, 64)
