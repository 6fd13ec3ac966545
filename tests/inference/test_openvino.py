"""OpenVINO gives PyTorch's outputs, for any batch size, without telemetry."""

import sys

import pytest
import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.inference.openvino import OpenVinoClassifier
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel

from ..conftest import SPECIES
from .networks import photos, warmed_up_classifier

pytestmark = pytest.mark.slow


def test_without_openvino_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UserError, match="pip install openvino"):
        OpenVinoClassifier(
            warmed_up_classifier("efficientnet_lite0"), find_backbone("efficientnet_lite0"), 128
        )


@pytest.fixture(scope="module", params=["efficientnet_v2_s", "efficientnet_lite0"])
def model(request: pytest.FixtureRequest) -> TrainedModel:
    pytest.importorskip("openvino")
    backbone = find_backbone(str(request.param), image_size=128)
    classifier = warmed_up_classifier(backbone.name)
    return TrainedModel(classifier, backbone, SPECIES, backbone.preprocessing)


def test_outputs_equal_pytorchs_for_any_batch_size(model: TrainedModel) -> None:
    given = photos(model.backbone.name)
    before = {key: value.clone() for key, value in model.classifier.state_dict().items()}
    ours = Predictor(model, torch.device("cpu"), "fp32")
    other = Predictor(model, precision="fp32", engine="openvino")
    assert other.precision == "fp32"
    for count in (1, 8, 3):
        for one, expected in zip(
            other.outputs(given[:count]), ours.outputs(given[:count]), strict=True
        ):
            torch.testing.assert_close(one, expected, rtol=1e-3, atol=1e-3)
    assert all(
        torch.equal(before[key], value) for key, value in model.classifier.state_dict().items()
    )


def test_outputs_are_not_overwritten_by_the_next_call(model: TrainedModel) -> None:
    given = photos(model.backbone.name)
    predictor = Predictor(model, precision="fp32", engine="openvino")
    first = predictor.outputs(given[:2])
    kept = [part.clone() for part in first]
    predictor.outputs(given[2:4])
    assert all(torch.equal(part, copy) for part, copy in zip(first, kept, strict=True))


def test_bfloat16_is_close_to_float32(model: TrainedModel) -> None:
    given = photos(model.backbone.name)
    expected = Predictor(model, torch.device("cpu"), "fp32").outputs(given).features
    found = Predictor(model, precision="bf16", engine="openvino").outputs(given).features
    cosines = nn.functional.cosine_similarity(found, expected)
    # Random weights amplify rounding.
    is_trained = model.backbone.name == "efficientnet_lite0"
    assert (cosines.min() if is_trained else cosines.mean()) >= 0.998


def test_telemetry_is_off(model: TrainedModel) -> None:
    assert sys.modules["openvino_telemetry"] is None
