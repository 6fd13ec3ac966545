"""Measure training steps: the tutorial's, and those of `train`."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.harness import table
from benchmarks.speed.inference import BATCH, TutorialPhotos
from benchmarks.speed.interleaved_runs import in_turns
from benchmarks.speed.networks import SEED, SPECIES, network_to_time
from benchmarks.tutorial_recipe import squashed
from panthera_vision.inference.fuse_batchnorm import FusedTrainingNetwork
from panthera_vision.inference.predictor import default_device
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.models.backbones import find_backbone
from panthera_vision.training.augmentation import Augmentation
from panthera_vision.training.dataset import LabeledPhotos, training_batches
from panthera_vision.training.optim import build_optimizer, uses_bf16

Losses = list[float]


def labels_of(photos: Sequence[Path]) -> list[int]:
    """Return arbitrary labels; the time of a step does not depend on them."""
    return list(islice(cycle(range(len(SPECIES))), len(photos)))


def tutorial_steps(name: str, photos: Sequence[Path]) -> Callable[[], Losses]:
    """Prepare one epoch of all layers, batch norms in training mode, decoding between steps."""
    model = network_to_time(name, photos[:BATCH])
    device = default_device()
    network = model.classifier.to(device)
    adam = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], lr=1e-4)
    to_tensor = partial(squashed, model.preprocessing)

    def work() -> Losses:
        network.train()
        losses = []
        loader = DataLoader(TutorialPhotos(photos, to_tensor, labels_of(photos)), batch_size=BATCH)
        for batch, truth in loader:
            loss = nn.functional.cross_entropy(network(batch.to(device)), truth.to(device))
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
        return losses

    return work


def package_steps(name: str, photos: Sequence[Path]) -> Callable[[], Losses]:
    """Prepare one epoch of the steps of `train`, including augmentation."""
    configure_process()
    model = network_to_time(name, photos[:BATCH])
    device = default_device()
    network = model.classifier.to(device)
    network.to(memory_format=torch.channels_last)
    adam = build_optimizer(
        network, backbone_learning_rate=1e-4, head_learning_rate=1e-4, weight_decay=0.05
    )
    augmentation = Augmentation(
        model.preprocessing, min_crop_scale=0.15, color_jitter=0.4, zoom_out=0.4
    )
    labeled = LabeledPhotos(photos, labels_of(photos))
    truth = torch.tensor(labeled.labels)
    fused = FusedTrainingNetwork(network)
    in_bf16 = uses_bf16("auto", find_backbone(name), device)

    def work() -> Losses:
        losses = []
        for batch, numbers in training_batches(
            labeled, augmentation, batch_size=BATCH, threads=2, seed=SEED
        ):
            batch = batch.to(device, memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16, enabled=in_bf16):
                loss = nn.functional.cross_entropy(fused(batch).logits, truth[numbers].to(device))
            adam.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), max_norm=5.0)
            adam.step()
            losses.append(loss.item())
        return losses

    return work


def section(names: Sequence[str], photos: Sequence[Path], turns: int) -> str:
    """Return photos per second of whole steps, as Markdown."""
    rows = []
    for name in names:
        timed = in_turns(
            {
                "tutorial": partial(tutorial_steps, name, photos),
                "the package": partial(package_steps, name, photos),
            },
            turns,
        )
        for key, one in timed.items():
            speed = len(photos) / float(np.median(one.seconds))
            ratio = one.ratio(timed["tutorial"])
            rows.append([f"{name}, {key}", f"{speed:.1f}", f"{ratio:.2f}"])
    return table(["training", "photos/s", "speedup"], rows)
