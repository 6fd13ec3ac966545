"""Distillation from the pretrained network, and training labels that it doubts."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from panthera_vision.models.ood import OODHead
from panthera_vision.training.dataset import LabeledPhotos, TrainingData
from panthera_vision.training.pretrained_teacher import PretrainedTeacher, drop_doubtful_labels

CLASSES, PER_CLASS = 3, 40


@pytest.fixture
def clusters() -> tuple[torch.Tensor, np.ndarray]:
    """Return features of three well separated classes, and their class numbers."""
    generator = torch.Generator().manual_seed(0)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    centers = torch.eye(CLASSES, 8) * 4
    return centers[labels] + torch.randn(len(labels), 8, generator=generator) / 2, labels


def data_of(labels: np.ndarray) -> TrainingData:
    photos = LabeledPhotos(
        [Path(f"{number}.jpg") for number in range(len(labels))],
        labels.tolist(),
        [f"day {number // 2}" for number in range(len(labels))],
    )
    return TrainingData(("A a", "B b", "C c"), photos, photos, notes={"synthetic_photos": 0})


def test_most_planted_wrong_labels_are_dropped_and_right_ones_kept(
    clusters: tuple[torch.Tensor, np.ndarray],
) -> None:
    features, labels = clusters
    wrong = np.random.default_rng(1).choice(len(labels), 12, replace=False)
    given = labels.copy()
    given[wrong] = (given[wrong] + 1) % CLASSES
    data, teacher = drop_doubtful_labels(data_of(given), PretrainedTeacher(features, None), 0)
    kept = [int(path.stem) for path in data.train.paths]
    dropped = set(range(len(labels))) - set(kept)
    assert len(dropped & set(wrong.tolist())) >= 0.75 * len(wrong)
    assert len(dropped - set(wrong.tolist())) <= 2
    assert data.notes == {"synthetic_photos": 0, "dropped_labels": len(labels) - len(kept)}
    assert torch.equal(teacher.features, features[kept])
    assert data.train.labels == given[kept].tolist()
    assert len(data.train.groups) == len(kept)


def test_a_class_that_features_cannot_tell_keeps_most_of_its_photos(
    clusters: tuple[torch.Tensor, np.ndarray],
) -> None:
    features, labels = clusters
    features[labels == 2] = features[labels == 1][torch.randperm(PER_CLASS)]
    data, _ = drop_doubtful_labels(data_of(labels), PretrainedTeacher(features, None), 0)
    kept = np.bincount(data.train.labels, minlength=CLASSES)
    assert (kept >= 0.6 * PER_CLASS).all()


def test_distillation_is_zero_for_the_pretrained_features_and_grows_with_their_change() -> None:
    torch.manual_seed(0)
    head = OODHead(nn.Linear(8, 20), CLASSES)
    features = torch.randn(10, 8)
    teacher = PretrainedTeacher.from_features(features, head)
    numbers = torch.tensor([3, 1, 7])
    same = teacher.distillation_loss(features[numbers], numbers, head)
    near = teacher.distillation_loss(features[numbers] + 0.1, numbers, head)
    far = teacher.distillation_loss(features[numbers] + 1.0, numbers, head)
    assert same.item() == pytest.approx(0, abs=1e-5)
    assert 0 < near < far
    without_head = PretrainedTeacher.from_features(features, None)
    assert without_head.distillation_loss(features[numbers], numbers, None).item() == 0
