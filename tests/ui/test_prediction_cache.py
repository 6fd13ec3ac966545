"""A visitor's photos: classified once, sorted, labeled, and written for a spreadsheet."""

import csv
import io

import pytest

from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.models.prediction import Prediction
from panthera_vision.ui.classification.decision import Decision, certainty_key, decide
from panthera_vision.ui.classification.prediction_cache import (
    Classified,
    PhotoFile,
    classify,
    label_of,
    limit_files,
    sort_uncertain_first,
    to_csv,
)

from ..conftest import SPECIES, draw_photo


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    backbone = find_backbone("efficientnet_lite0", image_size=64)
    model = TrainedModel(
        classifier=pretrained_classifier(backbone, SPECIES).eval(),
        backbone=backbone,
        class_names=SPECIES,
        preprocessing=backbone.preprocessing,
        fingerprint="f" * 64,
    )
    return Predictor(model)


def jpeg(species: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    draw_photo(species, seed).save(buffer, "JPEG")
    return buffer.getvalue()


def answer(probability: float, *, none: bool = False) -> Prediction:
    return Prediction({"Panthera leo": probability, "Panthera uncia": 1 - probability}, 0.0, none)


def test_each_photo_is_classified_once_and_forgotten_when_it_is_removed(
    predictor: Predictor,
) -> None:
    read: list[str] = []

    def give(key: str, data: bytes) -> PhotoFile:
        def content() -> bytes:
            read.append(key)
            return data

        return PhotoFile(key, f"{key}.jpg", content)

    given = [give(str(n), jpeg(SPECIES[n % 5], n)) for n in range(10)] + [give("x", b"<html>")]
    known: dict[str, Classified] = {}
    done: list[int] = []
    photos = classify(given, predictor, known, done.append)
    assert [photo.key for photo in photos] == [file.key for file in given]
    assert [bool(photo.prediction) for photo in photos] == [True] * 10 + [False]
    assert photos[-1].reason == "not a photo"
    assert all(photo.thumbnail.startswith(b"\xff\xd8") for photo in photos[:-1])
    assert done == list(range(1, 12))
    alone = predictor.predict_image(draw_photo(SPECIES[0], 0))
    assert photos[0].prediction is not None
    assert photos[0].prediction.species == alone.species
    assert classify(given[1:], predictor, known) == photos[1:]
    assert sorted(read) == sorted(file.key for file in given)
    assert "0" not in known


def test_uploads_are_limited_in_number_and_in_bytes() -> None:
    given = [PhotoFile(str(number), "x", bytes, size=10) for number in range(5)]
    assert limit_files(given, most=3, most_bytes=1000) == given[:3]
    assert limit_files(given, most=9, most_bytes=25) == given[:2]
    assert limit_files(given, most=5, most_bytes=50) == given


@pytest.mark.parametrize(
    ("given", "least", "expected"),
    [
        (answer(0.9), 0.5, Decision.NAMED),
        (answer(0.9), 0.95, Decision.UNSURE),
        (answer(0.99, none=True), 0.5, Decision.NONE_OF_THESE),
    ],
)
def test_a_species_is_named_only_in_distribution_and_above_the_threshold(
    given: Prediction, least: float, expected: Decision
) -> None:
    assert decide(given, least) is expected
    label = label_of(Classified("k", "n", given), least)
    assert label == ("Panthera leo" if expected is Decision.NAMED else expected.value)


def test_certainty_words_follow_the_probability() -> None:
    words = [certainty_key(p) for p in (1.0, 0.95, 0.94, 0.8, 0.79, 0.2)]
    assert words == ["very_sure"] * 2 + ["fairly_sure"] * 2 + ["rather_unsure"] * 2


def test_uncertain_photos_come_first() -> None:
    surest, unsure = Classified("1", "1", answer(0.99)), Classified("2", "2", answer(0.6))
    none = Classified("3", "3", answer(0.99, none=True))
    broken = Classified("4", "4", None, "not a photo")
    assert sort_uncertain_first([surest, none, unsure, broken]) == [broken, none, unsure, surest]


def test_the_table_equals_that_of_the_command_and_escapes_formulas(predictor: Predictor) -> None:
    photos = [
        Classified("1", '=HYPERLINK("x")', answer(0.75)),
        Classified("2", "Рысь, №2.jpg", None, "not a photo"),
    ]
    content = to_csv(photos, predictor)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0]["file"] == '\'=HYPERLINK("x")'
    assert (rows[0]["answer"], rows[0]["probability"]) == ("Panthera leo", "0.75")
    assert (rows[1]["file"], rows[1]["reason"]) == ("Рысь, №2.jpg", "not a photo")
    assert {row["model"] for row in rows} == {"f" * 64}
