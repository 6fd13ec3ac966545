"""The ordinary tutorial's fine-tuning, as a baseline: what most notebooks do."""

import copy
import random
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.classifier import Classifier
from panthera_vision.models.preprocessing import Preprocessing
from panthera_vision.training.dataset import LabeledPhotos

SIZE = 224
BATCH = 32
LEARNING_RATE = 1e-3


def squashed(preprocessing: Preprocessing, photo: Image.Image) -> torch.Tensor:
    """The whole photo at 224×224, its shape not kept."""
    return preprocessing.normalize(photo.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def tutorial_fine_tune(
    backbone_name: str,
    class_count: int,
    train: LabeledPhotos,
    validation: LabeledPhotos,
    *,
    epochs: int,
    seed: int,
) -> tuple[Classifier, float]:
    """Squash to 224×224, no augmentation, a new head, AdamW at 1e-3 on all layers.

    The rate falls on a plateau of the validation loss; the best epoch by validation accuracy is
    kept.

    Returns:
        The network, and its validation accuracy.
    """
    torch.manual_seed(seed)
    backbone = BACKBONES[backbone_name]
    trunk, _ = backbone.build(True)
    classifier = Classifier(trunk, nn.Linear(backbone.feature_dimension, class_count))
    classifier.to(memory_format=torch.channels_last)
    rates = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(rates, patience=1)
    to_tensor = partial(squashed, backbone.preprocessing(SIZE))

    def load(path: Path) -> torch.Tensor:
        return to_tensor(open_photo(path))

    best, best_accuracy = copy.deepcopy(classifier.state_dict()), -1.0
    order = list(range(len(train.paths)))
    for epoch in range(1, epochs + 1):
        random.Random(seed + epoch).shuffle(order)
        labels = torch.tensor([train.labels[number] for number in order]).split(BATCH)
        jobs = (partial(load, train.paths[number]) for number in order)
        batches = prefetch_batches(jobs, batch_size=BATCH, threads=2)
        classifier.train()
        name = f"tutorial, epoch {epoch}/{epochs}"
        with progress_bar(name, "batch", len(labels), zip(batches, labels, strict=True)) as bar:
            for photos, truth in bar:
                photos = photos.contiguous(memory_format=torch.channels_last)
                loss = nn.functional.cross_entropy(classifier(photos), truth)
                rates.zero_grad()
                loss.backward()
                rates.step()
        classifier.eval()
        jobs = (partial(load, path) for path in validation.paths)
        with torch.inference_mode():
            logits = torch.cat(
                [
                    classifier(photos)
                    for photos in prefetch_batches(jobs, batch_size=BATCH, threads=2)
                ]
            )
        truth = torch.tensor(validation.labels)
        plateau.step(nn.functional.cross_entropy(logits, truth).item())
        accuracy = (logits.argmax(1) == truth).float().mean().item()
        if accuracy > best_accuracy:
            best, best_accuracy = copy.deepcopy(classifier.state_dict()), accuracy
    classifier.load_state_dict(best)
    return classifier.eval(), best_accuracy
