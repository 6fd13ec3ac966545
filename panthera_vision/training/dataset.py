"""Training photos: labelled, augmented and shuffled, the same for the same seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from panthera_vision.data.photo_table import of_split, photo_paths
from panthera_vision.distributed import SINGLE_PROCESS, ProcessGroup
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.prefetch import batched, prefetch_batches
from panthera_vision.training.augmentation import Augmentation


@dataclass(frozen=True)
class LabeledPhotos:
    """Photo files with the number of each one's class."""

    paths: Sequence[Path]
    labels: Sequence[int]


def load_labelled_photos(
    table: pd.DataFrame, split: str, class_names: Sequence[str], folder: Path, images: Path
) -> LabeledPhotos:
    """Return the photos of one split of `photos.csv`, which lie below `images`.

    Args:
        table: as `read_photos` returns it.
        split: "train", "validation" or "test".
        class_names: the species; a photo's label is its place among them.
        folder: the table's folder, which its files are relative to.
        images: the folder that all photos must lie in.

    Raises:
        UserError: the split lacks a species, or the table names a file elsewhere.
    """
    rows = of_split(table, split)
    for name in class_names:
        if not (rows["species"] == name).any():
            raise UserError(
                f"no photo of {name} that could be had is in the {split} split; run `dvc repro "
                "--force download`, add observations, or take it from prepare.allowed_species"
            )
    numbers = {name: number for number, name in enumerate(class_names)}
    return LabeledPhotos(
        photo_paths(rows, folder, [images]), [numbers[name] for name in rows["species"]]
    )


def epoch_length(photos: LabeledPhotos, batch_size: int) -> int:
    """How many batches an epoch has.

    A last batch that is not full waits for another epoch, where its photos are others: one or
    two photos would give a step of noise the same weight.
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
    """One epoch of shuffled batches: photos (N, 3, H, W) and labels (N,).

    Order and augmentation depend on `seed` alone, not on the threads. Where several processes
    share each batch, each has its share of the photos, and all the labels.

    Raises:
        UserError: (while iterating) a file can't be read as a photo.
    """
    order = list(range(len(photos.paths)))
    random.Random(seed).shuffle(order)
    order = order[: epoch_length(photos, batch_size) * batch_size]

    def load(number: int) -> torch.Tensor:
        # Not hash(): that of a string differs from process to process.
        generator = random.Random(f"{seed} {number}")
        return augmentation(
            open_photo(photos.paths[number], augmentation.min_decoded_side), generator
        )

    labels = torch.tensor([photos.labels[number] for number in order]).split(batch_size)
    shares = [processes.shard(batch) for batch in batched(order, batch_size)]
    jobs = (partial(load, number) for share in shares for number in share)
    tensors = prefetch_batches(jobs, batch_size=len(shares[0]), threads=threads)
    return zip(tensors, labels, strict=True)
