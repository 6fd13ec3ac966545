"""The apps' texts in both languages, numbers, and the decoding of uploads."""

import io
import string

import pytest
from PIL import Image

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n import (
    LANGUAGES,
    Translator,
    choose_language,
    load_texts,
    plural_category,
)
from panthera_vision.ui.uploads import MAXIMUM_UPLOAD_BYTES, decode_upload

from ..conftest import draw_photo

PLURALS = {"en": {"one", "other"}, "ru": {"one", "few", "many"}}


def forms(language: Language, section: str, key: str) -> dict[str, str]:
    """Return a text by plural category; a text without plural forms under ""."""
    text = load_texts(language)[section][key]
    return text if isinstance(text, dict) else {"": text}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_sections_and_keys() -> None:
    english, russian = (
        {section: set(texts) for section, texts in load_texts(language).items()}
        for language in LANGUAGES
    )
    assert english == russian


@pytest.mark.parametrize("section", load_texts("en"))
def test_texts_have_the_same_placeholders_in_both_languages(section: str) -> None:
    for key in load_texts("en")[section]:
        english, russian = (
            set().union(*map(placeholders, forms(language, section, key).values()))
            for language in LANGUAGES
        )
        assert english == russian, key


@pytest.mark.parametrize("section", load_texts("en"))
def test_texts_that_depend_on_a_count_have_all_plural_forms(section: str) -> None:
    for key in load_texts("en")[section]:
        english, russian = forms("en", section, key), forms("ru", section, key)
        assert (set(english) == PLURALS["en"]) == (set(russian) == PLURALS["ru"]), key
        for language, texts in (("en", english), ("ru", russian)):
            assert set(texts) in ({""}, PLURALS[language]), key
            # Only a form for exactly one may leave out the count.
            places = {frozenset(placeholders(text) - {"count"}) for text in texts.values()}
            assert len(places) == 1, key


@pytest.mark.parametrize(
    ("language", "category", "counts"),
    [
        ("en", "one", [1]),
        ("en", "other", [0, 2, 11, 21, 100]),
        ("ru", "one", [1, 21, 101, 1001]),
        ("ru", "few", [2, 3, 4, 22, 104]),
        ("ru", "many", [0, 5, 11, 12, 14, 19, 20, 111, 112, 1000]),
    ],
)
def test_plural_categories_follow_cldr(
    language: Language, category: str, counts: list[int]
) -> None:
    assert {plural_category(count, language) for count in counts} == {category}


def test_a_plural_form_is_chosen_by_the_count() -> None:
    t = Translator("classification", "ru")
    counts = [t("photos_count", count=count) for count in (1, 2, 5, 21)]
    assert counts == ["1 снимок", "2 снимка", "5 снимков", "21 снимок"]


@pytest.mark.parametrize(
    ("requested", "browser", "language"),
    [
        ("ru", "en-US", "ru"),
        (None, "ru-RU", "ru"),
        (None, "de-DE", "en"),
        ("xx", "ru", "ru"),
        (None, None, "en"),
    ],
)
def test_the_address_wins_over_the_browser(
    requested: str | None, browser: str | None, language: str
) -> None:
    assert choose_language(requested, browser) == language


def test_numbers_follow_the_language() -> None:
    english, russian = Translator("shared", "en"), Translator("shared", "ru")
    assert english.percent(0.8765) == "87.6%"
    assert russian.percent(0.8765) == "87,6\N{NO-BREAK SPACE}%"
    assert russian.percent(0.96, digits=0) == "96\N{NO-BREAK SPACE}%"
    assert russian.number(0.5) == "0,500"


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
def test_no_probability_is_shown_as_0_or_100_percent(share: float, words: str) -> None:
    assert Translator("shared", "en").probability(share) == words
    assert Translator("shared", "ru").probability(share) == words.replace(".", ",").replace(
        "%", "\N{NO-BREAK SPACE}%"
    )


def test_reasons_of_refused_uploads_are_translated() -> None:
    for data in (b"", b"<html>", b"\xff\xd8\xff\xe0broken", b"x" * (MAXIMUM_UPLOAD_BYTES + 1)):
        upload = decode_upload("x.jpg", data)
        assert upload.photo is None
        for language in LANGUAGES:
            assert upload.reason in load_texts(language)["reasons"]


def test_heic_photos_are_accepted() -> None:
    buffer = io.BytesIO()
    draw_photo("Panthera leo", 1, (64, 48)).save(buffer, "HEIF")
    upload = decode_upload("IMG_0001.HEIC", buffer.getvalue())
    assert upload.photo is not None
    assert (upload.photo.mode, upload.photo.size) == ("RGB", (64, 48))


@pytest.mark.parametrize("format", ["WEBP", "JPEG"])
def test_phone_photos_are_rotated_upright(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    buffer = io.BytesIO()
    draw_photo("Panthera leo", 1, (64, 48)).save(buffer, format, exif=exif)
    upload = decode_upload("x", buffer.getvalue())
    assert upload.photo is not None
    assert upload.photo.mode == "RGB"
    assert upload.photo.size == (48, 64)
