"""The ONNX file gives PyTorch's outputs, reproducibly, and suffices without PyTorch."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.export import onnx as export
from panthera_vision.export.onnx import export_onnx
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import Backbone, find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier, pretrained_classifier

from ..conftest import REPOSITORY, SPECIES, draw_photo

pytestmark = pytest.mark.slow


def trained(backbone: Backbone, classifier: Classifier) -> TrainedModel:
    return TrainedModel(
        classifier=classifier.eval(),
        backbone=backbone,
        class_names=SPECIES,
        preprocessing=backbone.preprocessing,
        temperature=0.7,
        data_fingerprint="d" * 64,
        training={"epoch": 2, "synthetic_photos": 60},
        fingerprint="c" * 64,
    )


OUTPUTS = ["probabilities", "ood_scores", "logits", "embeddings"]


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    torch.manual_seed(1)
    backbone = find_backbone("efficientnet_lite0", image_size=64)
    return trained(backbone, pretrained_classifier(backbone, SPECIES))


@pytest.fixture(scope="module")
def exported(model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "best_model.onnx"
    export_onnx(model, path)
    return path


def assert_same_outputs(model: TrainedModel, path: Path) -> None:
    session = onnxruntime.InferenceSession(path)
    predictor = Predictor(model, torch.device("cpu"), "fp32")
    for count in (1, 3):
        photos = torch.stack(
            [model.preprocessing(draw_photo(SPECIES[seed % 5], seed)) for seed in range(count)]
        )
        found = session.run(OUTPUTS, {"photos": photos.numpy()})
        outputs = predictor.outputs(photos)
        expected = (
            torch.softmax(outputs.logits / model.temperature, dim=1),
            outputs.ood_scores,
            outputs.logits,
            predictor.embeddings(photos),
        )
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=0, atol=1e-4)


def test_lite0_outputs_equal_pytorchs_for_any_batch_size(
    model: TrainedModel, exported: Path
) -> None:
    assert_same_outputs(model, exported)


@pytest.mark.faults  # half a minute; tests/export/test_families.py has small networks
def test_v2_s_outputs_equal_pytorchs(tmp_path: Path) -> None:
    torch.manual_seed(2)
    backbone = find_backbone("efficientnet_v2_s", image_size=64)
    trunk, _ = backbone.build()
    classifier = Classifier(trunk, nn.Linear(1280, len(SPECIES))).eval()
    with torch.no_grad():  # logits of a trained network's size
        classifier.head.weight *= 20 / classifier.features(torch.rand(1, 3, 64, 64)).norm()
    model = trained(backbone, classifier)
    differences = export_onnx(model, tmp_path / "best_model.onnx")
    assert list(differences) == OUTPUTS
    assert max(differences.values()) <= 1e-4
    assert_same_outputs(model, tmp_path / "best_model.onnx")


def test_equal_models_give_equal_bytes_without_paths_of_this_machine(
    model: TrainedModel, exported: Path, tmp_path: Path
) -> None:
    again = tmp_path / "другая папка" / "model.onnx"
    export_onnx(model, again)
    content = again.read_bytes()
    assert content == exported.read_bytes()
    for folder in (REPOSITORY, Path(sys.prefix), again.parent):
        assert str(folder).encode() not in content
    assert list(again.parent.iterdir()) == [again]


def test_metadata_name_classes_preprocessing_and_the_checkpoint(
    model: TrainedModel, exported: Path
) -> None:
    metadata = onnxruntime.InferenceSession(exported).get_modelmeta().custom_metadata_map
    assert (metadata["format"], metadata["version"]) == ("panthera-vision-onnx", "1")
    assert tuple(json.loads(metadata["class_names"])) == SPECIES
    assert json.loads(metadata["preprocessing"])["image_size"] == 64
    assert float(metadata["temperature"]) == 0.7
    assert metadata["backbone"] == "efficientnet_lite0"
    assert metadata["checkpoint_fingerprint"] == "c" * 64
    assert metadata["data_fingerprint"] == "d" * 64
    assert json.loads(metadata["training"])["synthetic_photos"] == 60


@pytest.mark.parametrize("size", [(301, 200), (123, 457)])
def test_the_documented_program_predicts_the_same_without_pytorch(
    model: TrainedModel, exported: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    text = (REPOSITORY / "docs" / "onnx.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "best_model.onnx").write_bytes(exported.read_bytes())
    photo = draw_photo("Panthera pardus", 5, size)
    photo.save(tmp_path / "photo.jpg", "PNG")  # without a JPEG's losses
    program += "\nimport sys\nassert not {'torch', 'panthera_vision'} & set(sys.modules)\n"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    lines = [line.split(": ") for line in result.stdout.splitlines()]
    expected = Predictor(model, torch.device("cpu"), "fp32").predict_image(photo).probabilities
    assert {name: float(value) for name, value in lines} == pytest.approx(expected, abs=1e-3)


def test_no_file_is_left_when_outputs_differ_from_pytorchs(
    model: TrainedModel, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = exported.read_bytes()
    monkeypatch.setattr(export, "_export", lambda network, model: content)
    path = tmp_path / "best_model.onnx"
    other = trained(model.backbone, pretrained_classifier(model.backbone, SPECIES))
    with torch.no_grad():
        other.classifier.head.bias += 0.001
    broken = trained(model.backbone, pretrained_classifier(model.backbone, SPECIES))
    with torch.no_grad():
        broken.classifier.head.bias[0] = torch.nan
    for wrong in (other, broken):
        path.write_bytes(b"earlier run")
        with pytest.raises(UserError, match="ONNX Runtime and PyTorch differ by") as caught:
            export_onnx(wrong, path)
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []


def test_outputs_are_compared_on_the_given_photos_too(
    model: TrainedModel, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = exported.read_bytes()
    monkeypatch.setattr(export, "_export", lambda network, model: content)
    strange = torch.full((3, 64, 64), torch.nan)
    export_onnx(model, tmp_path / "best_model.onnx", [torch.zeros(3, 64, 64)])
    with pytest.raises(UserError, match="differ by nan"):
        export_onnx(model, tmp_path / "best_model.onnx", [strange])
