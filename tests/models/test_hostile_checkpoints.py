"""Untrusted checkpoints: every value is validated, no code runs, zip bombs are refused."""

import io
import os
import zipfile
from collections import OrderedDict
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel, load_checkpoint, save_checkpoint
from panthera_vision.models.classifier import empty_classifier

from ..conftest import SPECIES

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    backbone = find_backbone("efficientnet_lite0", image_size=64)
    model = TrainedModel(
        empty_classifier(backbone, len(SPECIES)).eval(),
        backbone,
        SPECIES,
        backbone.preprocessing,
        ood_threshold=0.5,
    )
    path = tmp_path_factory.mktemp("model") / "model.pth"
    save_checkpoint(model, path)
    loaded: dict[str, Any] = torch.load(path, weights_only=True)
    return loaded


def load_error(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("class_names", None, "class_names: input should be a valid list"),
        ("class_names", "abcde", "class_names: input should be a valid list"),
        ("class_names", [1, 2, 3, 4, 5], "class_names.0: input should be a valid string"),
        ("class_names", [SPECIES[0]] * 5, "class_names: a species is listed twice"),
        ("class_names", list(SPECIES[:-1]), "size mismatch for head.weight"),
        ("class_names", [], "Unexpected key"),
        ("class_names", ["Panthera leo"] * 20_000, "at most 10000 items"),
        ("class_names", ["../../x", *SPECIES[1:]], "'../../x' is not a species name"),
        ("class_names", ["=1+1", *SPECIES[1:]], "'=1+1' is not a species name"),
        ("class_names", ["<script>", *SPECIES[1:]], "'<script>' is not a species name"),
        ("temperature", 0.0, "temperature: input should be greater than 0"),
        ("temperature", NAN, "temperature"),
        ("temperature", "x", "temperature: input should be a valid number"),
        ("ood_threshold", "0.5", "ood_threshold"),
        ("ood_threshold", INF, "ood_threshold"),
        ("backbone", "resnet", "backbone: input should be a valid dictionary"),
        ("backbone", ["a"], "backbone"),
        ("training", ["x"], "training: input should be a valid dictionary"),
        ("parameters", 5, "parameters: input should be a valid dictionary"),
        ("data_fingerprint", None, "data_fingerprint"),
        ("version", [1], "version"),
    ],
)
def test_error_names_the_wrong_key_and_what_is_allowed(
    tmp_path: Path, content: dict[str, Any], part: str, value: object, message: str
) -> None:
    torch.save(content | {part: value}, tmp_path / "x.pth")
    assert message in load_error(tmp_path / "x.pth")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("image_size", 10**9),
        ("image_size", 0),
        ("image_size", "224"),
        ("crop_pct", 1e-9),
        ("crop_pct", NAN),
        ("mean", (0.5, 0.5)),
        ("mean", "abc"),
        ("std", (0.5, 0.0, 0.5)),
        ("std", (NAN, 0.5, 0.5)),
        ("interpolation", "nearest"),
        ("crop_mode", "border"),
        ("more", 1),
    ],
)
def test_error_names_the_wrong_preprocessing_key(
    tmp_path: Path, content: dict[str, Any], part: str, value: object
) -> None:
    changed = content["preprocessing"] | {part: value}
    torch.save(content | {"preprocessing": changed}, tmp_path / "x.pth")
    assert f"preprocessing.{part}" in load_error(tmp_path / "x.pth")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("name", "resnet", "backbone.name"),
        ("library", "os", "backbone.library: input should be 'timm' or 'torchvision'"),
        ("architecture", "hf-hub:some/model", "timm has no network 'hf-hub:some/model'"),
        ("architecture", "local-dir:/etc", "timm has no network"),
        ("architecture", "../../tf_efficientnet_lite0", "timm has no network"),
        ("arguments", {"checkpoint_path": "/etc/passwd"}, "may not be built with the argument"),
        ("arguments", {"pretrained": True}, "may not be built with the argument 'pretrained'"),
        ("arguments", {"pretrained_cfg": {"file": "x"}}, "backbone.arguments"),
        ("arguments", {"num_classes": 10**9}, "may not be built with num_classes"),
        ("arguments", {"num_classes": -1}, "may not be built with num_classes"),
        ("arguments", {"init_values": NAN}, "may not be built with init_values"),
        ("arguments", {"act_layer": "os.system"}, "may not be built with act_layer"),
        ("arguments", {"depth": 3}, "damaged checkpoint"),
        ("arguments", {"num_classes": 20_000}, "in current model is torch.Size([5, 20"),
        ("labels", "", "damaged checkpoint"),
        ("labels", "<script>", "backbone.labels"),
        ("source", 5, "backbone.source"),
    ],
)
def test_a_backbone_only_ever_selects_a_builder_of_timm_or_torchvision(
    tmp_path: Path, content: dict[str, Any], part: str, value: object, message: str
) -> None:
    changed = content["backbone"] | {part: value}
    torch.save(content | {"backbone": changed}, tmp_path / "x.pth")
    assert message in load_error(tmp_path / "x.pth")


def test_error_names_missing_and_unknown_keys(tmp_path: Path, content: dict[str, Any]) -> None:
    for part in content.keys() - {"format", "version"}:
        torch.save({key: content[key] for key in content if key != part}, tmp_path / "x.pth")
        assert f"{part}: field required" in load_error(tmp_path / "x.pth")
    torch.save(content | {"more": 1}, tmp_path / "x.pth")
    assert "more: extra inputs are not permitted" in load_error(tmp_path / "x.pth")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.full((32, 3, 3, 3), NAN), "weights that are infinite or not numbers"),
        (torch.zeros(32, 3, 3), "size mismatch for trunk.conv_stem.weight"),
        (torch.zeros(32, 3, 3, 3, dtype=torch.complex64), "is complex, sparse or expanded"),
        (torch.zeros(32, 3, 3, 3).to_sparse(), "is complex, sparse or expanded"),
        (5, "input should be an instance of Tensor"),
        # A terabyte on paper, four bytes in the file.
        (torch.zeros(1).expand(10**6, 10**6), "is complex, sparse or expanded"),
    ],
)
def test_error_names_weights_of_wrong_shape_type_or_value(
    tmp_path: Path, content: dict[str, Any], weights: object, message: str
) -> None:
    state = OrderedDict(content["state_dict"]) | {"trunk.conv_stem.weight": weights}
    torch.save(content | {"state_dict": state}, tmp_path / "x.pth")
    assert message in load_error(tmp_path / "x.pth")


def test_photo_named_as_checkpoint_is_one_line_without_advice_to_load_it_unsafely(
    tmp_path: Path,
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "x.jpg")
    message = load_error(tmp_path / "x.jpg")
    assert (
        message == f"{tmp_path / 'x.jpg'} is not a checkpoint, or damaged; `dvc repro` creates one"
    )


class Evil:
    def __reduce__(self) -> object:
        return os.system, ("touch evil-ran",)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("part", ["training", "class_names", "state_dict"])
def test_pickled_code_in_any_key_is_refused_and_does_not_run(
    tmp_path: Path,
    content: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    zipped: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    changed = content | {part: Evil()}
    torch.save(changed, "x.pth", _use_new_zipfile_serialization=zipped)
    assert "was refused because it contains more than weights" in load_error(Path("x.pth"))
    assert not Path("evil-ran").exists()


@pytest.mark.slow
def test_zip_bomb_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    torch.save({"format": "panthera-vision-checkpoint"}, whole)
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in source.infolist():
            bomb.writestr(entry.filename, source.read(entry) + bytes(100_000_000))
    assert path.stat().st_size < 2_000_000
    assert "was refused as a zip bomb: unpacked, it has" in load_error(path)


@pytest.mark.slow
def test_random_damage_gives_a_one_line_error(tmp_path: Path, content: dict[str, Any]) -> None:
    small = {**content, "state_dict": {"weight": torch.zeros(3)}}
    rng = Random(1)
    for zipped in (True, False):
        buffer = io.BytesIO()
        torch.save(small, buffer, _use_new_zipfile_serialization=zipped)
        whole = buffer.getvalue()
        for _ in range(300):
            damaged = bytearray(whole)
            for _ in range(rng.randrange(1, 6)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            if rng.random() < 0.2:
                del damaged[rng.randrange(len(damaged)) :]
            (tmp_path / "x.pth").write_bytes(damaged)
            load_error(tmp_path / "x.pth")
