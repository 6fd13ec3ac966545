"""Training data: labeled photos by split, and epochs of shuffled, augmented batches."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from panthera_vision.data.apply_corrections import VERDICT
from panthera_vision.data.photo_table import count_synthetic, fingerprint, of_split, photo_paths
from panthera_vision.data.splits import observation_groups
from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.prefetch import batched, prefetch_batches
from panthera_vision.training.augmentation import Augmentation


@dataclass(frozen=True)
class LabeledPhotos:
    """Hold photo files with their class numbers.

    Attributes:
        paths: the files.
        labels: class number of each.
        groups: of each photo; photos of one group may show the same animal. Empty: all differ.
        reviewed: whether a person decided about the label of each photo. Empty: of none.
    """

    paths: Sequence[Path]
    labels: Sequence[int]
    groups: Sequence[str] = ()
    reviewed: Sequence[bool] = ()

    def subset(self, numbers: Sequence[int]) -> "LabeledPhotos":
        """Return the photos with these numbers."""
        return LabeledPhotos(
            [self.paths[number] for number in numbers],
            [self.labels[number] for number in numbers],
            [self.groups[number] for number in numbers] if self.groups else (),
            [self.reviewed[number] for number in numbers] if self.reviewed else (),
        )


@dataclass(frozen=True)
class TrainingData:
    """Hold the photos that a model is trained and validated on.

    Attributes:
        class_names: species, in the order of the labels.
        train: to learn from; every class has some.
        validation: to choose the best epoch by and to calibrate on.
        fingerprint: of photos, labels and splits; stored in the model.
        notes: stored in the model's `training`, beside the figures of its epoch.
    """

    class_names: tuple[str, ...]
    train: LabeledPhotos
    validation: LabeledPhotos
    fingerprint: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)


def load_training_data(table: pd.DataFrame, folder: Path, images: Path) -> TrainingData:
    """Return the train and validation splits of `photos.csv`.

    Args:
        table: `photos.csv`.
        folder: that the table's files are relative to.
        images: folder in which they must lie.

    Raises:
        UserError: a split lacks a species, or the table names a file elsewhere.
    """
    class_names = tuple(sorted(table["species"].unique()))

    def load_split(split: str) -> LabeledPhotos:
        rows = of_split(table, split)
        if missing := set(class_names) - set(rows["species"]):
            raise UserError(
                f"the {split} split has no downloaded photo of {min(missing)}; run `dvc repro "
                "--force download`, add observations, or remove it from prepare.allowed_species"
            )
        paths = photo_paths(rows, folder, [images])
        labels = [class_names.index(name) for name in rows["species"]]
        groups = list(observation_groups(rows, "observer_day"))
        reviewed = list(rows[VERDICT] != "") if VERDICT in rows else ()
        return LabeledPhotos(paths, labels, groups, reviewed)

    return TrainingData(
        class_names,
        load_split("train"),
        load_split("validation"),
        fingerprint=fingerprint(table),
        notes={"synthetic_photos": count_synthetic(table)},
    )


def batches_per_epoch(photos: LabeledPhotos, batch_size: int) -> int:
    """Return the number of batches of an epoch, without an incomplete last one.

    A batch of one or two photos would give a noisy step the same weight; its photos come up in
    other epochs, which are shuffled anew.
    """
    return max(1, len(photos.paths) // batch_size)


def training_batches(
    photos: LabeledPhotos,
    augmentation: Augmentation,
    *,
    batch_size: int,
    threads: int,
    seed: int,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield one epoch of shuffled batches: photos (N, 3, H, W) and their numbers (N,).

    Order and augmentation depend on `seed` alone, not on the number of threads. Of several
    processes, each gets its shard of the photos of every batch, and the numbers of the whole batch.

    Raises:
        UserError: (while iterating) a file can't be read as a photo.
    """
    order = list(range(len(photos.paths)))
    random.Random(seed).shuffle(order)
    order = order[: batches_per_epoch(photos, batch_size) * batch_size]

    def load(number: int) -> torch.Tensor:
        # A string and not hash() of a tuple with strings, which differs between processes.
        generator = random.Random(f"{seed} {number}")
        photo = open_photo(photos.paths[number], augmentation.min_decoded_side)
        return augmentation(photo, generator)

    numbers = torch.tensor(order).split(batch_size)
    shards = [processes.shard(batch) for batch in batched(order, batch_size)]
    jobs = (partial(load, number) for shard in shards for number in shard)
    tensors = prefetch_batches(jobs, batch_size=len(shards[0]), threads=threads)
    return zip(tensors, numbers, strict=True)
