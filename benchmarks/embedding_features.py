"""What two networks see in photos, as they are and altered: computed once, embedded many ways."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn
from torchvision.transforms.v2 import functional as transforms

from benchmarks.harness import BATCH
from benchmarks.shifts import SHIFTS
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier
from panthera_vision.search.evaluation.perturbations import altered

Change = Callable[[Image.Image, Path], Image.Image]
_GEM_POWER = 3.0


@dataclass(frozen=True)
class Features:
    """Of N photos.

    Attributes:
        imagenet: mean over the places of the last map, of the network as ImageNet left it (N, D).
        imagenet_gem: their generalised mean, power 3 (Radenović, Tolias and Chum, "Fine-tuning CNN
            Image Retrieval with No Human Annotation", PAMI 2019).
        tuned, tuned_gem: likewise, of the network as fine-tuned.
        logits: of the fine-tuned network's classes (N, classes).
    """

    imagenet: np.ndarray
    imagenet_gem: np.ndarray
    tuned: np.ndarray
    tuned_gem: np.ndarray
    logits: np.ndarray


def together(parts: Sequence[Features]) -> Features:
    """Those of several sets of photos, one after the other."""
    return Features(
        *(np.concatenate(p) for p in zip(*(vars(x).values() for x in parts), strict=True))
    )


class TwoNetworks:
    """The network as ImageNet left it, and as fine-tuned, on the same photos."""

    def __init__(self, untrained: Classifier, model: TrainedModel) -> None:
        self.untrained = untrained.eval()
        self.model = model

    @torch.inference_mode()
    def features(
        self, paths: Sequence[Path], change: Change, purpose: str, *, tuned_only: bool = False
    ) -> Features:
        """Of photos, each changed after it is opened; `tuned_only` leaves ImageNet's at NaN."""
        jobs = (partial(self._load, path, change) for path in paths)
        parts = []
        with progress_bar(purpose, "photo", len(paths)) as progress:
            for batch in prefetch_batches(jobs, batch_size=BATCH, threads=2):
                parts.append(self._of_batch(batch, tuned_only))
                progress.update(len(batch))
        return together(parts)

    def _load(self, path: Path, change: Change) -> torch.Tensor:
        return self.model.preprocessing(change(open_photo(path), path))

    def _of_batch(self, photos: torch.Tensor, tuned_only: bool) -> Features:
        photos = photos.contiguous(memory_format=torch.channels_last)
        last = _last_map(self.model.classifier.trunk, photos)
        tuned, tuned_gem = last.mean((2, 3)), _generalised_mean(last)
        if tuned_only:
            imagenet = imagenet_gem = torch.full_like(tuned, torch.nan)
        else:
            last = _last_map(self.untrained.trunk, photos)
            imagenet, imagenet_gem = last.mean((2, 3)), _generalised_mean(last)
        logits = self.model.classifier.head(tuned)
        values = imagenet, imagenet_gem, tuned, tuned_gem, logits
        return Features(*(value.numpy() for value in values))


def _last_map(trunk: nn.Module, photos: torch.Tensor) -> torch.Tensor:
    """The map (N, D, rows, columns) that the trunk's pooling takes the mean of."""
    if isinstance(trunk, nn.Sequential):
        a_map: torch.Tensor = trunk[0](photos)
    else:
        a_map = trunk.forward_features(photos)  # type: ignore[operator]
    return a_map


def _generalised_mean(a_map: torch.Tensor) -> torch.Tensor:
    return a_map.clamp_min(1e-6).pow(_GEM_POWER).mean((2, 3)).pow(1 / _GEM_POWER)


def as_it_is(photo: Image.Image, path: Path) -> Image.Image:
    return photo


def mirrored(photo: Image.Image, path: Path) -> Image.Image:
    return ImageOps.mirror(photo)


def middle(photo: Image.Image, path: Path) -> Image.Image:
    """Two thirds of each side, from the middle."""
    size = [max(1, round(2 / 3 * photo.height)), max(1, round(2 / 3 * photo.width))]
    cropped: Image.Image = transforms.center_crop(photo, size)
    return cropped


def shift(name: str) -> Change:
    return lambda photo, path: SHIFTS[name](photo, Random(f"{name} {path.name}"))


def alteration(name: str, then: Change = as_it_is) -> Change:
    return lambda photo, path: then(altered(photo, name, path.name), path)
