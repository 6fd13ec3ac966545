"""Fine-tune as most tutorials do, as a baseline for the package's recipe."""

import copy
import random
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import nn

from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import Classifier
from panthera_vision.models.preprocessing import Preprocessing
from panthera_vision.models.pretrained_weights import load_pretrained
from panthera_vision.training.dataset import LabeledPhotos

SIZE = 224
BATCH = 32
LEARNING_RATE = 1e-3


def squashed(preprocessing: Preprocessing, photo: Image.Image) -> torch.Tensor:
    """Resize the whole photo to 224×224, regardless of its aspect ratio."""
    return preprocessing.normalize(photo.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def _batches(preprocessing: Preprocessing, paths: Sequence[Path]) -> Iterator[torch.Tensor]:
    jobs = (lambda path=path: squashed(preprocessing, open_photo(path)) for path in paths)
    for photos in prefetch_batches(jobs, batch_size=BATCH, threads=2):
        yield photos.contiguous(memory_format=torch.channels_last)


def tutorial_fine_tune(
    backbone_name: str,
    class_count: int,
    train: LabeledPhotos,
    validation: LabeledPhotos,
    *,
    epochs: int,
    seed: int,
) -> tuple[Classifier, float]:
    """Fine-tune all layers and a new head: squashed photos, no augmentation, AdamW at 1e-3.

    The learning rate is reduced on a plateau of the validation loss. The epoch with the best
    validation accuracy is kept.

    Returns:
        The network, and its validation accuracy.
    """
    torch.manual_seed(seed)
    backbone = find_backbone(backbone_name, image_size=SIZE)
    batches = partial(_batches, backbone.preprocessing)
    trunk, _ = load_pretrained(backbone)
    classifier = Classifier(trunk, nn.Linear(backbone.feature_dimension, class_count))
    classifier.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    best, best_accuracy = copy.deepcopy(classifier.state_dict()), -1.0
    order = list(range(len(train.paths)))
    validation_labels = torch.tensor(validation.labels)
    for epoch in range(1, epochs + 1):
        random.Random(seed + epoch).shuffle(order)
        labels = torch.tensor([train.labels[number] for number in order]).split(BATCH)
        pairs = zip(batches([train.paths[number] for number in order]), labels, strict=True)
        classifier.train()
        name = f"tutorial, epoch {epoch}/{epochs}"
        with progress_bar(name, "batch", len(labels), pairs) as bar:
            for photos, truth in bar:
                loss = nn.functional.cross_entropy(classifier(photos), truth)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        classifier.eval()
        with torch.inference_mode():
            logits = torch.cat([classifier(photos) for photos in batches(validation.paths)])
        scheduler.step(nn.functional.cross_entropy(logits, validation_labels).item())
        accuracy = (logits.argmax(1) == validation_labels).float().mean().item()
        if accuracy > best_accuracy:
            best, best_accuracy = copy.deepcopy(classifier.state_dict()), accuracy
    classifier.load_state_dict(best)
    return classifier.eval(), best_accuracy
