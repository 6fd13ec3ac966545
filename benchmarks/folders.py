"""List photos in one folder per species, and split them at random for a measurement."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from panthera_vision.data.taxonomy import folder_name
from panthera_vision.images.folders import photos_below
from panthera_vision.training.dataset import LabeledPhotos

TEST_SHARE, VALIDATION_SHARE = 0.15, 0.15  # as in params.yaml


@dataclass(frozen=True)
class Divided:
    """Hold photos of several species, split at random within each."""

    class_names: tuple[str, ...]
    train: LabeledPhotos
    validation: LabeledPhotos
    test: LabeledPhotos


def labeled(folder: Path, class_names: tuple[str, ...]) -> LabeledPhotos:
    """List all photos of <folder>/<Species>/ for each class."""
    paths, labels = [], []
    for number, name in enumerate(class_names):
        found = photos_below(folder / folder_name(name))
        paths += found
        labels += [number] * len(found)
    return LabeledPhotos(paths, labels)


def species_below(folder: Path) -> tuple[str, ...]:
    """List the species that have a subfolder."""
    return tuple(sorted(path.name.replace("_", " ") for path in folder.iterdir() if path.is_dir()))


def divide(folder: Path, seed: int) -> Divided:
    """Split each species into 70% training, 15% validation and 15% test photos.

    The folders name no observers: photos of one encounter may be in two splits.
    """
    names = species_below(folder)
    parts: list[tuple[list[Path], list[int]]] = [([], []), ([], []), ([], [])]
    for number, name in enumerate(names):
        photos = photos_below(folder / folder_name(name))
        Random(seed).shuffle(photos)
        test = round(len(photos) * TEST_SHARE)
        validation = round(len(photos) * VALIDATION_SHARE)
        slices = (photos[test + validation :], photos[test : test + validation], photos[:test])
        for (paths, labels), some in zip(parts, slices, strict=True):
            paths += some
            labels += [number] * len(some)
    return Divided(names, *(LabeledPhotos(*part) for part in parts))
