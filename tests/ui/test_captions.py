"""Captions of photos, and the sentence on the agreement of the results."""

import pytest

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.captions import alt_text, photo_details
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.search.search_view import agreement_sentence

PHOTO = {
    "species": "Panthera pardus",
    "observer": "a_b",
    "observed_on": "2020-01-02",
    "place": "[Narok](http://x)",
    "license": "CC-BY",
    "attribution": "(c) A &amp; B, some rights reserved (CC BY)",
    "observation_url": "https://www.inaturalist.org/observations/1",
}


@pytest.mark.parametrize(
    ("species", "language", "sentence"),
    [
        (
            ["Panthera pardus"] * 9 + ["Panthera leo"],
            "en",
            "9 of the 10 most similar photos show one species: leopard.",
        ),
        (
            ["Panthera pardus"] * 9 + ["Panthera leo"],
            "ru",
            "На 9 из 10 самых похожих снимков один вид: леопард.",
        ),
        (
            ["Panthera uncia"] * 21,
            "ru",
            "На всех самых похожих снимках один вид: снежный барс (21 из 21).",
        ),
        (
            ["Panthera leo", "Panthera onca"],
            "en",
            "The most similar photos show different species, none of them on more than half: "
            "lion (1), jaguar (1).",
        ),
        (
            ["Felis catus"],
            "en",
            "The most similar photos all show one species: Felis catus (1 of 1).",
        ),
    ],
)
def test_agreement_of_the_results_is_said_in_a_sentence(
    species: list[str], language: Language, sentence: str
) -> None:
    assert agreement_sentence(species, Translator("search", language)) == sentence


def test_untrusted_text_is_escaped_in_markdown() -> None:
    t = Translator("search", "en")
    details = photo_details(PHOTO, t)
    assert "Place: \\[Narok\\]\\(http\\://x\\)" in details
    assert "[CC\\-BY](https://creativecommons.org/licenses/by/4.0/)" in details
    assert "[observation](https://www.inaturalist.org/observations/1)" in details
    assert "A & B" in details
    for address in ("javascript:alert(1)", "https://a b", "https://a)[x](b"):
        assert "observation](" not in photo_details({**PHOTO, "observation_url": address}, t)


def test_photos_have_an_alternative_text() -> None:
    t = Translator("search", "ru")
    assert alt_text(PHOTO, t) == "Леопард, [Narok](http://x), 2020-01-02, a_b"
    assert alt_text({"species": "Panthera leo"}, Translator("search", "en")) == "Lion"
