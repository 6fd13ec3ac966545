"""Make encounters of several photos, as real ones are rare in the data.

Random photos of one species are independent, as those of a real encounter are not: their gain is
the most that can be hoped for. Crops of one photo in other light have the animal's pose and most
of the pixels in common, as frames of a burst have: their gain is the least.
"""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageEnhance
from scipy.special import softmax

from benchmarks.combination_rules import Photos
from benchmarks.folders import divide
from benchmarks.harness import Change, Recipe
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.training.calibration import calibrate
from panthera_vision.training.dataset import TrainingData

_CORNER = 0.3


def frame(number: int) -> Change:
    """Return a change that crops a photo to 70–95% of its sides and changes its light."""

    def change(photo: Image.Image, path: Path) -> Image.Image:
        random = Random(f"{number} {path.parent.name}/{path.name}")
        share = random.uniform(0.7, 0.95)
        width, height = round(photo.width * share), round(photo.height * share)
        left = random.randint(0, photo.width - width)
        upper = random.randint(0, photo.height - height)
        photo = photo.crop((left, upper, left + width, upper + height))
        photo = ImageEnhance.Brightness(photo).enhance(random.uniform(0.5, 1.4))
        return ImageEnhance.Contrast(photo).enhance(random.uniform(0.7, 1.3))

    return change


def corner(is_right: bool) -> Change:
    """Return a change that keeps an upper corner of a photo only: rarely the animal."""

    def change(photo: Image.Image, path: Path) -> Image.Image:
        side = round(_CORNER * min(photo.size))
        left = photo.width - side if is_right else 0
        return photo.crop((left, 0, left + side, side))

    return change


class Measured:
    """Run the pretrained network on photos, and read its outputs with its own calibration."""

    def __init__(self, data: Path, seed: int) -> None:
        photos = divide(data / "panthera_photos", seed)
        backbone = find_backbone("efficientnet_lite0", image_size=224)
        self.class_names = photos.class_names
        model = calibrate(
            TrainedModel(
                pretrained_classifier(backbone, self.class_names).eval(),
                backbone,
                self.class_names,
                backbone.preprocessing,
            ),
            TrainingData(self.class_names, photos.train, photos.validation),
            batch_size=32,
            threads=2,
        )
        assert model.ood_threshold is not None
        self.threshold = model.ood_threshold
        self._recipe = Recipe("pretrained", model.classifier, model.preprocessing)
        self._recipe.temperature = model.temperature

    def photos(self, paths: Sequence[Path], *changes: Change | None) -> Photos:
        """Return encounters of a photo each, as each of the changes makes it (E, K, …)."""
        return encounter_photos(self._recipe, self.threshold, paths, *changes)


def encounter_photos(
    recipe: Recipe, threshold: float, paths: Sequence[Path], *changes: Change | None
) -> Photos:
    """Return encounters of a photo each, as each of the changes makes it (E, K, …)."""
    probabilities, scores = [], []
    for change in changes:
        outputs = recipe.outputs(paths, change)
        probabilities.append(softmax(outputs.logits.numpy() / recipe.temperature, axis=1))
        scores.append(outputs.ood_scores.numpy())
    return Photos(np.stack(probabilities, 1), np.stack(scores, 1), threshold)


def random_encounters(photos: Photos, encounters: np.ndarray) -> Photos:
    """Return encounters of random photos; `encounters` (E, K) are rows of single photos."""
    return Photos(
        photos.probabilities[encounters, 0], photos.ood_scores[encounters, 0], photos.threshold
    )


def draw(rows: np.ndarray, labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Divide photos (rows) of each species at random into encounters of `size` photos (E, K)."""
    random = np.random.default_rng(seed)
    parts = []
    for label in np.unique(labels):
        of_label = random.permutation(rows[labels[rows] == label])
        parts.append(of_label[: len(of_label) // size * size].reshape(-1, size))
    return np.concatenate(parts)
