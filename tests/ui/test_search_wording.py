import pytest

from panthera_vision.data.taxonomy import Language
from panthera_vision.search.results import species_agreement
from panthera_vision.ui.search.wording import agreement_sentence, details, picture_words

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
            "Самые похожие снимки: на 9 из 10 — леопард.",
        ),
        (["Panthera uncia"] * 21, "ru", "Самые похожие снимки: на всех — снежный барс (21 из 21)."),
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
def test_the_neighbours_agreement_is_a_sentence(
    species: list[str], language: Language, sentence: str
) -> None:
    assert agreement_sentence(species_agreement(species), language) == sentence


def test_strangers_words_stay_words() -> None:
    words = details(PHOTO, "en")
    assert "Place: \\[Narok\\]\\(http\\://x\\)" in words
    assert "[CC\\-BY](https://creativecommons.org/licenses/by/4.0/)" in words
    assert "[observation](https://www.inaturalist.org/observations/1)" in words
    assert "A & B" in words
    for address in ("javascript:alert(1)", "https://a b", "https://a)[x](b"):
        assert "observation](" not in details({**PHOTO, "observation_url": address}, "en")


def test_a_photo_has_words_for_those_who_do_not_see_it() -> None:
    assert picture_words(PHOTO, "ru") == "Леопард, [Narok](http://x), 2020-01-02, a_b"
    assert picture_words({"species": "Panthera leo"}, "en") == "Lion"
