import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision.models import efficientnet_v2_s

from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import (
    LEGACY_CLASS_NAMES,
    VERSION,
    TrainedModel,
    load_checkpoint,
    save_checkpoint,
)
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.models.import_checkpoint import import_checkpoint

from ..conftest import SPECIES, draw_photo


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    backbone = find_backbone("efficientnet_lite0", image_size=64)
    return TrainedModel(
        classifier=pretrained_classifier(backbone, SPECIES).eval(),
        backbone=backbone,
        class_names=SPECIES,
        preprocessing=backbone.preprocessing,
        temperature=0.7,
        ood_threshold=-3.5,
        parameters={"epochs": 3},
        data_fingerprint="f" * 64,
        training={"epoch": 2, "validation_accuracy": 0.9},
    )


def test_loaded_checkpoint_equals_the_saved_model_and_predicts_the_same(
    model: TrainedModel, tmp_path: Path
) -> None:
    path = tmp_path / "best_model.pth"
    save_checkpoint(model, path)
    save_checkpoint(model, tmp_path / "again.pth")
    assert path.read_bytes() == (tmp_path / "again.pth").read_bytes()
    loaded = load_checkpoint(path)
    assert loaded.class_names == SPECIES
    assert loaded.preprocessing == model.preprocessing
    assert (loaded.parameters, loaded.training) == (model.parameters, model.training)
    assert loaded.temperature == 0.7
    assert loaded.data_fingerprint == model.data_fingerprint
    assert len(loaded.fingerprint) == 64
    photo = draw_photo("Panthera leo", 1)
    assert loaded.ood_threshold == -3.5
    prediction = Predictor(loaded).predict_image(photo)
    assert prediction == Predictor(model).predict_image(photo)
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    torch.load(path, weights_only=True)


def test_predictions_are_ranked_and_none_of_these_above_the_ood_threshold(
    model: TrainedModel,
) -> None:
    photos = torch.stack([model.preprocessing(draw_photo(name, 1)) for name in SPECIES])
    predictions = Predictor(model).predict(photos)
    scores = sorted(prediction.ood_score for prediction in predictions)
    with_threshold = Predictor(replace(model, ood_threshold=scores[2])).predict(photos)
    assert sum(prediction.is_none_of_these for prediction in with_threshold) == 2
    for prediction in with_threshold:
        assert prediction.is_none_of_these == (prediction.ood_score > scores[2])
        shares = list(prediction.probabilities.values())
        assert shares == sorted(shares, reverse=True)
        assert (prediction.probability, prediction.runner_up_probability) == tuple(shares[:2])
        assert [prediction.species, prediction.runner_up] == list(prediction.probabilities)[:2]
    without_threshold = Predictor(replace(model, ood_threshold=None)).predict(photos)
    assert not any(prediction.is_none_of_these for prediction in without_threshold)


class Evil:
    def __reduce__(self) -> object:
        return os.system, ("touch evil-ran",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (Evil(), "refused"),
        ({"format": "panthera-vision-checkpoint", "version": 99}, "version 99"),
        ({"format": "panthera-vision-checkpoint", "version": VERSION}, "damaged checkpoint"),
        ({"weight": torch.zeros(2)}, "neither a checkpoint of this project nor"),
        ([1, 2], "it contains a list"),
    ],
)
def test_foreign_files_give_a_one_line_error_and_run_no_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(UserError, match=message) as caught:
        load_checkpoint(tmp_path / "x.pth")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "evil-ran").exists()


def test_damaged_and_missing_files_give_a_one_line_error(
    model: TrainedModel, tmp_path: Path
) -> None:
    path = tmp_path / "best_model.pth"
    with pytest.raises(UserError, match="does not exist"):
        load_checkpoint(path)
    save_checkpoint(model, path)
    whole = path.read_bytes()
    for damaged in (b"", b"no model", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(UserError) as caught:
            load_checkpoint(path)
        assert "\n" not in str(caught.value)


def test_bare_torchvision_state_dict_loads_with_the_same_logits(tmp_path: Path) -> None:
    network = efficientnet_v2_s(num_classes=5).eval()
    torch.save(network.state_dict(), tmp_path / "best_model.pth")
    model = load_checkpoint(tmp_path / "best_model.pth")
    assert (model.backbone.name, model.class_names) == ("efficientnet_v2_s", LEGACY_CLASS_NAMES)
    photos = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(model.classifier(photos), network(photos))


def test_import_replaces_an_imported_model_and_keeps_one_put_there_by_hand(tmp_path: Path) -> None:
    source, folder = tmp_path / "trained.pth", tmp_path / "model_weights"
    with pytest.raises(UserError, match="does not exist"):
        import_checkpoint(source, folder)
    for version in (b"one", b"two"):
        source.write_bytes(version)
        import_checkpoint(source, folder)
        assert (folder / "best_model.pth").read_bytes() == version
    (folder / "best_model.pth").write_bytes(b"mine")
    assert "put there by hand" in import_checkpoint(source, folder)
    assert (folder / "best_model.pth").read_bytes() == b"mine"
    (folder / "best_model.pth").unlink()
    import_checkpoint(source, folder)
    assert (folder / "best_model.pth").read_bytes() == b"two"


def test_a_version_3_checkpoint_gives_the_same_predictions(
    model: TrainedModel, tmp_path: Path
) -> None:
    save_checkpoint(model, tmp_path / "new.pth")
    content = torch.load(tmp_path / "new.pth", weights_only=True)
    content["version"] = 3
    content["none_of_these_threshold"] = content.pop("ood_threshold")
    content["backbone"] = content["backbone"]["name"]
    preprocessing, weights = content["preprocessing"], content["state_dict"]
    del preprocessing["interpolation"], preprocessing["crop_mode"]
    preprocessing["crop_share"] = preprocessing.pop("crop_pct")
    preprocessing["standard_deviation"] = preprocessing.pop("std")
    for part in ("near_classes", "centers", "weights"):
        del weights[f"ood_head.{part}"]
    weights["familiarity.typical"] = weights.pop("ood_head.class_means")
    for part in ("weight", "bias"):
        weights[f"familiarity.imagenet.{part}"] = weights.pop(f"ood_head.imagenet.{part}")
    torch.save(content, tmp_path / "old.pth")
    photo = draw_photo(SPECIES[0], 0)
    old, new = (load_checkpoint(tmp_path / name) for name in ("old.pth", "new.pth"))
    assert Predictor(old).predict_image(photo) == Predictor(new).predict_image(photo)
    assert old.ood_threshold == model.ood_threshold
