"""Networks of six families: found by name, trained, calibrated, saved, loaded, with equal outputs.

Their weights are random ones in a local file or in a made folder of the hub, so that no hub is
needed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from panthera_vision.inference.predictor import Predictor
from panthera_vision.models import backbones, pretrained_weights
from panthera_vision.models.checkpoint import load_checkpoint, save_checkpoint
from panthera_vision.models.ood import FeatureOODHead, OODHead
from panthera_vision.parameters import TrainParameters
from panthera_vision.training.dataset import LabeledPhotos, TrainingData
from panthera_vision.training.trainer import fine_tune

from ..conftest import SPECIES, draw_photo
from ..tiny_networks import FAMILIES

pytestmark = pytest.mark.slow

SIZE = 64
LOCAL = {
    "timm:test_efficientnet": OODHead,
    "timm:test_convnext": OODHead,
    "timm:test_resnet": OODHead,
    "timm:mobilenetv4_conv_small_035": OODHead,
    "timm:test_vit": OODHead,
    "torchvision:shufflenet_v2_x0_5": OODHead,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        draw_photo(SPECIES[number % 2], number, (72, 64)).save(path)
    photos = LabeledPhotos(paths, [number % 2 for number in range(6)])
    return TrainingData(SPECIES[:2], photos, photos)


def assert_survives_a_checkpoint(
    data: TrainingData, path: Path, ood_head: type, **settings: Any
) -> None:
    parameters = TrainParameters(epochs=1, batch_size=3, warmup_epochs=0, **settings)
    model = fine_tune(parameters, data)
    assert isinstance(model.classifier.ood_head, ood_head)
    save_checkpoint(model, path)
    loaded = load_checkpoint(path)
    photo = draw_photo(SPECIES[0], 9, (90, 70))
    assert loaded.backbone.name == parameters.backbone
    assert loaded.preprocessing == model.preprocessing
    assert loaded.ood_threshold == model.ood_threshold
    one, other = (Predictor(each, precision="fp32") for each in (model, loaded))
    assert one.predict_image(photo) == other.predict_image(photo)
    batch = torch.stack([model.preprocessing(photo)])
    assert torch.equal(one.outputs(batch).features, other.outputs(batch).features)


@pytest.mark.parametrize("name", LOCAL)
def test_a_network_with_weights_of_a_local_file_trains_and_predicts_the_same_after_loading(
    name: str, data: TrainingData, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    library, _, model = name.partition(":")
    if library == "timm":
        network = timm.create_model(model)
        save_file(network.state_dict(), tmp_path / "weights.safetensors")
    else:
        import torchvision

        network = torchvision.models.get_model(model)
        torch.save(network.state_dict(), tmp_path / "weights.safetensors.pth")
    (weights,) = tmp_path.iterdir()
    settings = {"backbone": name, "weights": weights, "image_size": SIZE}
    assert_survives_a_checkpoint(data, tmp_path / "model.pth", LOCAL[name], **settings)


@pytest.mark.parametrize("family", ["dinov2", "swin"])
def test_a_network_of_the_hub_is_rebuilt_without_it(
    family: str, data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    made = FAMILIES[family]
    arguments: dict[str, Any] = {**made.arguments, "img_size": made.image_size}
    network = timm.create_model(made.name, num_classes=0, **arguments)
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    config = {
        "architecture": made.name,
        "num_classes": 0,
        "model_args": arguments,
        "pretrained_cfg": {
            "input_size": [3, made.image_size, made.image_size],
            "fixed_input_size": True,
            "interpolation": "bilinear",
            "crop_pct": 0.9,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.3, 0.3, 0.3],
            "license": "cc-by-4.0",
        },
    }
    (tmp_path / "config.json").write_text(json.dumps(config))

    def hub_file(repository: str, names: Sequence[str], instead: str) -> Path:
        assert repository == "someone/tiny"
        return tmp_path / names[0]

    for module in (backbones, pretrained_weights):
        monkeypatch.setattr(module, "hub_file", hub_file)
    backbones.timm_configuration.cache_clear()
    name = "timm:hf-hub:someone/tiny"
    found = backbones.find_backbone(name)
    assert (found.preprocessing.interpolation, found.preprocessing.crop_pct) == ("bilinear", 0.9)
    assert (found.license, found.source, found.labels) == ("cc-by-4.0", "someone/tiny", "")
    assert_survives_a_checkpoint(data, tmp_path / "model.pth", FeatureOODHead, backbone=name)
