"""Measure the time to a given validation accuracy: the tutorial's training against `train`."""

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.folders import Divided, divide
from benchmarks.harness import table
from benchmarks.speed.inference import BATCH, TutorialPhotos
from benchmarks.speed.interleaved_runs import in_turns
from benchmarks.tutorial_recipe import SIZE, squashed
from panthera_vision.inference.predictor import default_device
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import Classifier
from panthera_vision.models.pretrained_weights import load_pretrained
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.training.dataset import TrainingData
from panthera_vision.training.history import Epoch
from panthera_vision.training.trainer import fine_tune

PARAMETERS = Path("cv-classification-dvc-pipeline/params.yaml")
BACKBONE = "efficientnet_lite0"  # the one whose ImageNet weights come with the project
SEED = 17


@dataclass
class Progress:
    """Hold the validation accuracy after each epoch, and the seconds since the start."""

    seconds: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    def seconds_to(self, accuracy: float) -> float | None:
        """Return when the accuracy was first reached; None if never."""
        reached = (
            when
            for when, value in zip(self.seconds, self.accuracies, strict=True)
            if value >= accuracy
        )
        return next(reached, None)


def tutorial(folder: Path, epochs: int) -> Progress:
    """Train with Pillow, DataLoader, a new head, AdamW at 1e-3 on all layers, eager float32."""
    data = divide(folder, SEED)
    torch.manual_seed(SEED)
    device = default_device()
    backbone = find_backbone(BACKBONE, image_size=SIZE)
    trunk, _ = load_pretrained(backbone)
    network = Classifier(trunk, nn.Linear(backbone.feature_dimension, len(data.class_names)))
    network.to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    to_tensor = partial(squashed, backbone.preprocessing)

    photos = TutorialPhotos(data.train.paths, to_tensor, data.train.labels)
    held_out = TutorialPhotos(data.validation.paths, to_tensor, data.validation.labels)
    progress, start = Progress(), time.perf_counter()
    for _ in range(epochs):
        network.train()
        for batch, truth in DataLoader(photos, batch_size=BATCH, shuffle=True):
            loss = nn.functional.cross_entropy(network(batch.to(device)), truth.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        hits = 0
        with torch.no_grad():
            for batch, truth in DataLoader(held_out, batch_size=BATCH):
                hits += int((network(batch.to(device)).argmax(1).cpu() == truth).sum())
        progress.seconds.append(time.perf_counter() - start)
        progress.accuracies.append(hits / len(held_out))
    return progress


def package(folder: Path, epochs: int) -> Progress:
    """Train as `train` does by default, with this backbone and number of epochs."""
    data = divide(folder, SEED)
    parameters = read_parameters("train", TrainParameters, PARAMETERS).model_copy(
        update={"backbone": BACKBONE, "epochs": epochs, "seed": SEED}
    )
    progress, start = Progress(), time.perf_counter()

    def on_epoch(epoch: Epoch, is_best: bool) -> None:
        progress.seconds.append(time.perf_counter() - start)
        progress.accuracies.append(epoch.validation_accuracy)

    fine_tune(
        parameters,
        TrainingData(data.class_names, data.train, data.validation),
        on_epoch=on_epoch,
    )
    return progress


def _prepared(way: str, folder: Path, epochs: int) -> partial[Progress]:
    return partial({"tutorial": tutorial, "package": package}[way], folder, epochs)


def section(folder: Path, epochs: int) -> str:
    """Return accuracy by time, and the time to the tutorial's best accuracy, as Markdown."""
    data: Divided = divide(folder, SEED)
    timed = in_turns(
        {way: partial(_prepared, way, folder, epochs) for way in ("tutorial", "package")},
        1,
        warm_up=False,
    )
    slow: Progress = timed["tutorial"].result
    fast: Progress = timed["package"].result
    rows = [
        [
            str(number + 1),
            *(
                f"{one.accuracies[number]:.3f} at {one.seconds[number]:.0f} s"
                for one in (slow, fast)
            ),
        ]
        for number in range(epochs)
    ]
    goal = max(slow.accuracies)
    late, early = slow.seconds_to(goal), fast.seconds_to(goal)
    assert late is not None
    conclusion = f"The tutorial's best accuracy, {goal:.3f}, takes the tutorial {late:.0f} s "
    conclusion += (
        f"and the package {early:.0f} s: {late / early:.1f} times faster."
        if early is not None
        else "and is not reached by the package in these epochs."
    )
    return "\n\n".join(
        [
            f"{BACKBONE} from ImageNet's weights, {len(data.train.paths)} training photos, "
            f"{len(data.validation.paths)} validation photos, seed {SEED}. The package's head "
            "starts from ImageNet's rows of these species, the tutorial's at random; the time "
            "includes decoding and validation.",
            table(["epoch", "tutorial", "the package"], rows),
            conclusion,
        ]
    )
