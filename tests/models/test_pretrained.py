"""The model that needs no training: ImageNet's head for the species that it knows."""

from pathlib import Path

import pytest
import torch

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.ood import OODHead
from panthera_vision.models.prediction import Prediction
from panthera_vision.models.pretrained import (
    describe_model,
    is_pretrained,
    load_model_or_pretrained,
    measured_accuracy,
    pretrained_model,
    unknown_species,
)

from ..conftest import SPECIES, draw_photo
from ..made_search import untrained_model


@pytest.fixture(scope="module")
def five() -> TrainedModel:
    return pretrained_model()


def test_it_names_real_photos_from_elsewhere_and_refuses_other_cats(
    five: TrainedModel, real_data: Path
) -> None:
    predictor = Predictor(five, torch.device("cpu"))

    def predict(folder: str, species: str, step: int) -> list[Prediction]:
        paths = sorted((real_data / folder / species.replace(" ", "_")).glob("*.jpg"))[::step]
        photos = [five.preprocessing(open_photo(path)) for path in paths]
        return predictor.predict(torch.stack(photos))

    hits, refused = [], []
    for species in SPECIES:
        for prediction in predict("second_source", species, step=16):
            hits.append(prediction.species == species)
            refused.append(prediction.is_none_of_these)
    assert len(hits) > 30
    assert sum(hits) / len(hits) >= 0.85
    assert sum(refused) / len(refused) <= 0.15
    caracals = predict("other_felids", "Caracal caracal", step=30)
    assert all(prediction.is_none_of_these for prediction in caracals)


def test_its_ood_score_is_the_highest_imagenet_probability_of_an_allowed_species(
    five: TrainedModel,
) -> None:
    features = torch.rand(4, 1280)
    head = five.classifier.ood_head
    assert isinstance(head, OODHead)
    allowed = head.imagenet(features).log_softmax(1)[:, [291, 290, 288, 292, 289]]
    logits = five.classifier.head(features)
    assert torch.allclose(head.score(features, logits), -allowed.amax(1) / 2, atol=1e-5)
    # The logits are the same rows.
    assert torch.allclose(logits.log_softmax(1), allowed.log_softmax(1), atol=1e-4)


def test_a_drawing_is_none_of_these(five: TrainedModel) -> None:
    prediction = Predictor(five, torch.device("cpu")).predict_image(draw_photo("Panthera leo", 1))
    assert prediction.is_none_of_these
    assert set(prediction.probabilities) == set(SPECIES)


def test_unknown_species_are_named_and_the_known_ones_answered() -> None:
    model = pretrained_model(["lion", "Uncia uncia", "Neofelis nebulosa", "Panthera leo"])
    assert model.class_names == ("Panthera leo", "Panthera uncia")
    assert unknown_species(model) == ("Neofelis nebulosa",)
    assert "unknown to it: Neofelis nebulosa" in describe_model(model)
    assert pretrained_model("Acinonyx jubatus").class_names == ("Acinonyx jubatus",)


@pytest.mark.parametrize(
    ("species", "words"),
    [
        (["Neofelis nebulosa"], "knows none of Neofelis nebulosa; it knows Acinonyx jubatus"),
        (["Panthera"], "'Panthera' is not a species name"),
    ],
)
def test_species_that_cannot_be_answered_are_one_line(species: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words) as raised:
        pretrained_model(species)
    assert "\n" not in str(raised.value)


def test_a_checkpoint_that_is_named_is_used_or_fails(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"missing\.pth does not exist"):
        load_model_or_pretrained(tmp_path / "missing.pth")
    with pytest.raises(UserError, match=r"x\.pth has classes of its own"):
        load_model_or_pretrained(Path("x.pth"), ["Panthera leo"])


def test_the_accuracy_is_given_only_for_the_species_that_it_was_measured_on(
    five: TrainedModel,
) -> None:
    measured = measured_accuracy(five)
    assert measured is not None
    assert f"accuracy {measured.accuracy:.3f}" in describe_model(five)
    two = pretrained_model(SPECIES[:2])
    assert measured_accuracy(two) is None
    assert "accuracy not measured for these species" in describe_model(two)
    for model in (five, two):
        assert is_pretrained(model)
        assert "pretrained, not trained on your photos" in describe_model(model)


def test_the_fingerprint_tells_species_apart_and_is_the_same_at_every_start(
    five: TrainedModel,
) -> None:
    assert five.fingerprint == pretrained_model(SPECIES).fingerprint
    assert five.fingerprint.startswith("pretrained-efficientnet_lite0-")
    assert five.fingerprint != pretrained_model(SPECIES[:2]).fingerprint


def test_a_trained_model_is_described_as_trained() -> None:
    notes = {"validation_accuracy": 0.5, "synthetic_photos": 3}
    model = untrained_model(training=notes, fingerprint="0" * 64)
    assert not is_pretrained(model)
    assert unknown_species(model) == ()
    assert describe_model(model) == (
        "efficientnet_lite0, trained on 5 species, on synthetic pictures only, "
        "validation accuracy 0.500"
    )
