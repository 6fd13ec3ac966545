"""Training photos: augmented, shuffled and labelled, the same for the same seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2 as transforms

from panthera_vision.errors import UserError
from panthera_vision.models.inference import Transform
from panthera_vision.models.preprocessing import Preprocessing
from panthera_vision.photo_table import of_split, photo_paths
from panthera_vision.photos.decoding import PhotoError, read_photo


@dataclass(frozen=True)
class LabelledPhotos:
    """Photo files with the number of each one's class."""

    paths: Sequence[Path]
    labels: Sequence[int]


def labelled_photos(
    table: pd.DataFrame, split: str, class_names: Sequence[str], images: Path
) -> LabelledPhotos:
    """The photos of one split of `photos.csv`, which lie below `images`.

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
    return LabelledPhotos(
        photo_paths(rows, Path.cwd(), [images]), [numbers[name] for name in rows["species"]]
    )


class _Photos(Dataset[tuple[torch.Tensor, int]]):
    def __init__(self, photos: LabelledPhotos, transform: Transform) -> None:
        self._photos = photos
        self._transform = transform

    def __len__(self) -> int:
        return len(self._photos.paths)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        path = self._photos.paths[number]
        try:
            return self._transform(read_photo(path)), self._photos.labels[number]
        except PhotoError as error:
            raise UserError(f"{path}: {error}; `dvc repro` fetches it again") from None


def augmentation(
    preprocessing: Preprocessing, *, smallest_crop: float, colour_jitter: float
) -> Transform:
    """Random crops, flips, light and colour; now and then grey, as an infra-red camera sees.

    Args:
        preprocessing: gives the size and the normalisation.
        smallest_crop: the least share of the photo's area that a crop keeps.
        colour_jitter: how far brightness, contrast and saturation may go, 0 to 1.
    """
    pipeline: Transform = transforms.Compose(
        [
            transforms.RandomResizedCrop(
                preprocessing.image_size,
                scale=(smallest_crop, 1.0),
                interpolation=transforms.InterpolationMode.BICUBIC,
            ),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(
                colour_jitter, colour_jitter, colour_jitter, hue=colour_jitter / 10
            ),
            transforms.RandomGrayscale(0.1),
            preprocessing.normalise,
        ]
    )
    return pipeline


def training_batches(
    photos: LabelledPhotos,
    transform: Transform,
    *,
    batch_size: int,
    workers: int,
    seed: int,
) -> tuple[int, Iterator[tuple[torch.Tensor, torch.Tensor]]]:
    """One epoch of shuffled batches: how many, and (photos (N, 3, H, W), labels (N,)).

    Order and augmentation depend on `seed` and `workers` alone.

    Raises:
        UserError: (while iterating) a file can't be read as a photo.
    """
    loader = DataLoader(
        _Photos(photos, transform),
        batch_size=batch_size,
        shuffle=True,
        # A last batch of one or two photos would give a step of noise the same weight.
        drop_last=len(photos.paths) >= batch_size,
        num_workers=workers,
        generator=torch.Generator().manual_seed(seed),
    )
    torch.manual_seed(seed)  # for augmentation where there are no workers
    return len(loader), _with_clear_errors(loader)


def _with_clear_errors(
    loader: DataLoader[tuple[torch.Tensor, int]],
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    try:
        yield from loader
    except UserError as error:
        # A worker process hands its error over with the traceback as text; the last line tells.
        raise UserError(str(error).strip().splitlines()[-1].split("UserError: ")[-1]) from None
