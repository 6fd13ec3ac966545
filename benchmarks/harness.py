"""A network to be measured beside others, and figures with their intervals as a table."""

from collections.abc import Callable
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
from panthera_vision.training.dataset import LabeledPhotos

BATCH = 32
ToTensor = Callable[[Image.Image], torch.Tensor]


class Recipe:
    """A network and how it wants its photos, to be measured beside others."""

    def __init__(self, name: str, classifier: Classifier, to_tensor: ToTensor) -> None:
        self.name = name
        self.classifier = classifier.eval()
        self.to_tensor = to_tensor
        self.minutes = 0.0
        self.validation_accuracy = float("nan")

    @torch.inference_mode()
    def outputs(self, photos: list[Path], shift: str | None = None) -> Outputs:
        """What the network gives for photos, each changed by the shift of that name."""

        def load(path: Path) -> torch.Tensor:
            photo = open_photo(path)
            if shift:
                photo = SHIFTS[shift](photo, Random(f"{shift} {path.name}"))
            return self.to_tensor(photo)

        jobs = (lambda path=path: load(path) for path in photos)
        parts = []
        with progress_bar(f"{self.name}: {shift or 'as they are'}", "photo", len(photos)) as bar:
            for batch in prefetch_batches(jobs, batch_size=BATCH, threads=2):
                batch = batch.contiguous(memory_format=torch.channels_last)
                parts.append(self.classifier.outputs(batch))
                bar.update(len(batch))
        return Outputs(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def hits(self, photos: LabeledPhotos, shift: str | None = None) -> np.ndarray:
        """Which photos are named rightly, (N,) of 0 and 1."""
        predicted = self.outputs(list(photos.paths), shift).logits.argmax(1).numpy()
        return np.asarray(predicted == np.asarray(photos.labels), dtype=float)


def interval(values: np.ndarray) -> str:
    """The mean with its 95% bootstrap interval over photos (the first axis)."""
    groups = [str(number) for number in range(len(values))]
    low, high = bootstrap_intervals(lambda rows: {"mean": float(values[rows].mean())}, groups)[
        "mean"
    ]
    return f"{values.mean():.3f} ({low:.3f}–{high:.3f})"


def cosine_similarities(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of the rows of two arrays (N, dimension), one by one: (N,)."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / lengths)


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
