"""Measure networks on photos with bootstrap intervals, and format Markdown tables."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from benchmarks.shifts import SHIFTS
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.prefetch import prefetch_batches
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.classifier import Classifier, Outputs
from panthera_vision.reporting.markdown import markdown_table
from panthera_vision.training.dataset import LabeledPhotos

BATCH = 32
table = markdown_table
ToTensor = Callable[[Image.Image], torch.Tensor]
# Changes a decoded photo; the path seeds random changes.
Change = Callable[[Image.Image, Path], Image.Image]


def shifted(name: str) -> Change:
    """Return the synthetic distribution shift of that name, seeded by the file name."""
    return lambda photo, path: SHIFTS[name](photo, Random(f"{name} {path.name}"))


class Recipe:
    """Hold a network and its preprocessing, to be measured next to others."""

    def __init__(self, name: str, classifier: Classifier, to_tensor: ToTensor) -> None:
        self.name = name
        self.classifier = classifier.eval()
        self.to_tensor = to_tensor
        self.minutes = 0.0
        self.validation_accuracy = float("nan")
        self.temperature = 1.0
        self._known: dict[tuple[Path, ...], Outputs] = {}

    def outputs(self, photos: Sequence[Path], change: Change | None = None) -> Outputs:
        """Return the outputs of `run`; those of unchanged photos are computed once."""
        if change:
            return self.run(photos, change)
        key = tuple(photos)
        if key not in self._known:
            self._known[key] = self.run(photos)
        return self._known[key]

    @torch.inference_mode()
    def run(self, photos: Sequence[Path], change: Change | None = None) -> Outputs:
        """Run the network on photo files, each changed by `change` after decoding."""

        def load(path: Path) -> torch.Tensor:
            photo = open_photo(path)
            return self.to_tensor(change(photo, path) if change else photo)

        jobs = (lambda path=path: load(path) for path in photos)
        parts = []
        with progress_bar(self.name, "photo", len(photos)) as bar:
            for batch in prefetch_batches(jobs, batch_size=BATCH, threads=2):
                batch = batch.contiguous(memory_format=torch.channels_last)
                parts.append(self.classifier.outputs(batch))
                bar.update(len(batch))
        return Outputs(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def hits(self, photos: LabeledPhotos, change: Change | None = None) -> np.ndarray:
        """Return 1.0 for correctly classified photos and 0.0 for others, (N,)."""
        predicted = self.outputs(photos.paths, change).logits.argmax(1).numpy()
        return np.asarray(predicted == np.asarray(photos.labels), dtype=float)


def interval(values: np.ndarray) -> str:
    """Format the mean with its 95% bootstrap interval over photos (the first axis)."""
    groups = [str(number) for number in range(len(values))]
    intervals = bootstrap_intervals(lambda rows: {"mean": float(values[rows].mean())}, groups)
    low, high = intervals["mean"]
    joined = f"{low:.3f} to {high:.3f}" if low < 0 else f"{low:.3f}–{high:.3f}"
    return f"{values.mean():.3f} ({joined})"


def cosine_similarities(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compute the cosine similarity of corresponding rows of two arrays (N, dimension)."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / lengths)
