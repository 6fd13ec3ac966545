"""Training: learning, determinism, resumption, batches, augmentation, optimizer, history."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.training.augmentation import Augmentation
from panthera_vision.training.dataset import (
    LabeledPhotos,
    TrainingData,
    batches_per_epoch,
    training_batches,
)
from panthera_vision.training.history import Epoch, HistoryWriter
from panthera_vision.training.optim import (
    balanced_class_weights,
    build_optimizer,
    warmup_cosine_schedule,
)
from panthera_vision.training.trainer import fine_tune
from panthera_vision.training.weight_interpolation import SHARES

from ..conftest import REPOSITORY, SPECIES, draw_photo

LITE0 = find_backbone("efficientnet_lite0", image_size=32)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> LabeledPhotos:
    folder = tmp_path_factory.mktemp("photos")
    paths, labels = [], []
    for number in range(40):
        path = folder / f"{number}.png"
        draw_photo(SPECIES[number % 2 * 4], number).save(path)
        paths.append(path)
        labels.append(number % 2)
    return LabeledPhotos(paths, labels)


@pytest.fixture(scope="module")
def data(photos: LabeledPhotos) -> TrainingData:
    return TrainingData(("Panthera leo", "Panthera uncia"), photos, photos, fingerprint="abc")


@pytest.fixture
def parameters() -> TrainParameters:
    shipped = read_parameters(
        "train", TrainParameters, REPOSITORY / "cv-classification-dvc-pipeline" / "params.yaml"
    )
    return shipped.model_copy(
        update={
            "backbone": "efficientnet_lite0",
            "image_size": 32,
            "train_image_size": 32,
            "epochs": 3,
            "batch_size": 8,
            "ema_decay": 0.5,
        }
    )


@pytest.mark.slow
def test_fine_tuning_learns_and_returns_the_best_epoch(
    data: TrainingData, parameters: TrainParameters
) -> None:
    history: list[tuple[Epoch, bool]] = []
    model = fine_tune(
        parameters,
        replace(data, notes={"synthetic_photos": 40}),
        on_epoch=lambda epoch, is_best: history.append((epoch, is_best)),
    )
    assert [epoch.epoch for epoch, _ in history] == [1, 2, 3]
    best = max(epoch.validation_accuracy for epoch, _ in history)
    assert best >= 0.9
    # Of the interpolated weights.
    assert model.training["validation_accuracy"] >= 0.9
    assert model.training["weight_interpolation"] in SHARES
    assert model.training["dropped_labels"] < 10
    assert model.training["epoch"] == [epoch.epoch for epoch, is_best in history if is_best][-1]
    assert model.training["synthetic_photos"] == 40
    assert model.data_fingerprint == "abc"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(
    data: TrainingData, parameters: TrainParameters
) -> None:
    once = parameters.model_copy(update={"epochs": 1})
    first, second = (fine_tune(once, data).classifier.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_a_resumed_training_ends_with_identical_weights_and_history(
    data: TrainingData, parameters: TrainParameters, tmp_path: Path
) -> None:
    state = tmp_path / "state.pth"
    history: list[tuple[Epoch, bool]] = []
    uninterrupted = fine_tune(parameters, data, on_epoch=lambda *metrics: history.append(metrics))

    def interrupt(epoch: Epoch, is_best: bool) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tune(parameters, data, state_file=state, on_epoch=interrupt)
    resumed: list[tuple[Epoch, bool]] = []
    model = fine_tune(
        parameters, data, state_file=state, on_epoch=lambda *metrics: resumed.append(metrics)
    )
    assert resumed == history
    expected = uninterrupted.classifier.state_dict()
    for name, value in model.classifier.state_dict().items():
        assert torch.equal(value, expected[name]), name
    assert (model.temperature, model.training) == (
        uninterrupted.temperature,
        uninterrupted.training,
    )


@pytest.mark.slow
def test_a_foreign_or_damaged_state_file_is_ignored(
    data: TrainingData,
    parameters: TrainParameters,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeds: list[int] = []

    def record_seed(*arguments: Any, seed: int, **options: Any) -> Any:
        seeds.append(seed)
        return training_batches(*arguments, seed=seed, **options)

    monkeypatch.setattr("panthera_vision.training.trainer.training_batches", record_seed)
    state = tmp_path / "state.pth"
    once = parameters.model_copy(update={"epochs": 1, "weight_interpolation": 1.0})
    fine_tune(once, data, state_file=state)
    whole = state.read_bytes()
    other = once.model_copy(update={"seed": 5})
    for content in (whole, whole[: len(whole) // 2], b"nonsense"):
        state.write_bytes(content)
        seeds.clear()
        fine_tune(other, data, state_file=state)
        assert seeds == [other.seed + 1]


@pytest.mark.slow
def test_a_validation_photo_is_decoded_once(
    data: TrainingData, parameters: TrainParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def record(path: Path, min_decoded_side: int) -> Image.Image:
        opened.append(path)
        return open_photo(path, min_decoded_side)

    monkeypatch.setattr("panthera_vision.inference.square_cache.open_photo", record)
    fine_tune(parameters.model_copy(update={"epochs": 1}), data)
    assert sorted(opened) == sorted(data.validation.paths)


def test_batches_depend_on_the_seed_and_not_on_the_number_of_threads(photos: LabeledPhotos) -> None:
    augmentation = Augmentation(LITE0.preprocessing, 0.4, 0.3, 0.5)

    def epoch(seed: int, threads: int) -> tuple[torch.Tensor, torch.Tensor]:
        batches = training_batches(photos, augmentation, batch_size=16, threads=threads, seed=seed)
        tensors, numbers = zip(*batches, strict=True)
        assert batches_per_epoch(photos, 16) == len(tensors) == 2  # the last 8 photos are left out
        return torch.cat(tensors), torch.cat(numbers)

    one, four, other = epoch(1, 1), epoch(1, 4), epoch(2, 1)
    assert torch.equal(one[0], four[0]) and torch.equal(one[1], four[1])
    assert not torch.equal(one[0], other[0])


def test_an_unreadable_photo_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(b"\xff\xd8\xff")
    batches = training_batches(
        LabeledPhotos([path], [0]),
        Augmentation(LITE0.preprocessing, 0.4, 0.3, 0.5),
        batch_size=8,
        threads=2,
        seed=1,
    )
    with pytest.raises(UserError, match=r"cut\.jpg: not a photo"):
        list(batches)


@pytest.mark.parametrize("size", [(80, 60), (1, 1), (400, 3), (3, 400)])
def test_augmentation_takes_photos_of_any_shape(size: tuple[int, int]) -> None:
    import random

    augmentation = Augmentation(LITE0.preprocessing, 0.35, 0.3, 1.0)
    tensor = augmentation(draw_photo("Panthera leo", 1, size), random.Random(1))
    assert tensor.shape == (3, 32, 32)
    assert tensor.isfinite().all()


def test_learning_rate_warms_up_then_decays_to_zero() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = warmup_cosine_schedule(optimizer, steps=20, warmup_steps=4)
    values = []
    for _ in range(20):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert values[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert values[4:] == sorted(values[4:], reverse=True)
    assert values[-1] < 0.02


def test_balanced_class_weights_give_every_class_the_same_total_weight() -> None:
    labels = [0] * 30 + [1] * 10
    weights = balanced_class_weights(labels, 2)
    assert weights[0] * 30 == pytest.approx(weights[1] * 10)
    assert sum(weights[label] for label in labels) == pytest.approx(len(labels))


def test_biases_and_norms_have_no_weight_decay() -> None:
    classifier = pretrained_classifier(LITE0, ("a", "b"))
    optimizer = build_optimizer(
        classifier, backbone_learning_rate=1e-4, head_learning_rate=1e-3, weight_decay=0.1
    )
    for group in optimizer.param_groups:
        flat = {parameter.ndim <= 1 for parameter in group["params"]}
        assert flat == {group["weight_decay"] == 0.0}
    counted = sum(len(group["params"]) for group in optimizer.param_groups)
    assert counted == sum(parameter.requires_grad for parameter in classifier.parameters())


def test_history_has_every_epoch_the_best_one_and_dvclive_series(tmp_path: Path) -> None:
    epochs = [Epoch(n, 1 / n, 0.5, 1 / n, accuracy, 0.1) for n, accuracy in ((1, 0.6), (2, 0.8))]
    with HistoryWriter(tmp_path / "history.json", tmp_path / "live") as history:
        for epoch in epochs:
            history.add(epoch, is_best=True)
        history.add(Epoch(3, 0.3, 0.5, 0.3, 0.7, 0.1), is_best=False)
    written = json.loads((tmp_path / "history.json").read_text())
    assert (written["best_epoch"], written["best_validation_accuracy"]) == (2, 0.8)
    assert [epoch["epoch"] for epoch in written["epochs"]] == [1, 2, 3]
    series = (tmp_path / "live/plots/metrics/validation/accuracy.tsv").read_text().split("\n")
    assert series[0].split("\t") == ["step", "accuracy"]
    assert series[3].split("\t") == ["3", "0.7"]
