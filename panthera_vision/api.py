"""Classify photos and search similar ones from Python: the package's public API."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch
from PIL import Image
from pydantic import Field

from panthera_vision.batch.batch_search import describe_with_files
from panthera_vision.batch.predict_files import Photo, load_photo, predict_files
from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError
from panthera_vision.images.exif import CameraData, camera_data, read_camera_data
from panthera_vision.images.folders import list_photos
from panthera_vision.inference.options import Engine, Precision
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.file_names import find_spelling
from panthera_vision.models.combination import combine_predictions
from panthera_vision.models.prediction import Prediction
from panthera_vision.models.pretrained import (
    describe_model,
    load_model_or_pretrained,
    unknown_species,
)
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index import photo_index
from panthera_vision.search.results import FoundGroup, FoundPhoto
from panthera_vision.search.searcher import Searcher

PhotoInput = str | os.PathLike[str] | bytes | Image.Image


@dataclass(frozen=True)
class PhotoPrediction(Prediction):
    """Hold the prediction for one photo, or the reason why there is none.

    Attributes:
        file: path of the photo; empty for bytes and images.
        reason: empty, or why the photo can't be read: "file missing", "not a photo", "broken
            photo", … The species is empty then, and the probability 0.
        note: what is odd about the file, such as "end marker missing"; empty for most.
        taken_at: time that the camera wrote into it, as ISO 8601, or "".
        latitude, longitude: likewise, in degrees, or None.
    """

    file: str = ""
    reason: str = ""
    note: str = ""
    taken_at: str = ""
    latitude: float | None = None
    longitude: float | None = None


class HitPhoto(FoundPhoto):
    """Hold a photo of the collection and its similarity to the query."""

    file: str = Field(description="Path of the photo; empty if the collection has no files.")


class Hit(FoundGroup):
    """Hold the most similar photo of a group of near-duplicates, and the group's others."""

    file: str = Field(description="Path of the photo; empty if the collection has no files.")
    near_duplicates: list[HitPhoto]  # type: ignore[assignment]


class Filters(TypedDict, total=False):
    """Restrict a search; a missing key restricts nothing.

    Attributes:
        species: names such as "Panthera uncia".
        licenses: such as "CC-BY", or "all-rights-reserved".
        observers: names of observers.
        first_day: only photos taken on this day or later.
        last_day: only photos taken on this day or earlier.
        place: only photos whose place contains these words.
    """

    species: str | Sequence[str]
    licenses: str | Sequence[str]
    observers: str | Sequence[str]
    first_day: date
    last_day: date
    place: str


def load_model(
    path: str | os.PathLike[str] | None = None,
    *,
    species: Sequence[str] | None = None,
    device: str | None = None,
    precision: Precision = "auto",
    engine: Engine = "torch",
) -> "Model":
    """Load a checkpoint (best_model.pth), or without a path the pretrained network.

    Loading runs no code from the file. The pretrained network was not trained on photos of yours:
    it answers with ImageNet's own head for the species that ImageNet knows.

    Args:
        path: the checkpoint; None for the pretrained network.
        species: for the pretrained network, the species to distinguish, such as "Panthera leo";
            the five of *Panthera* by default. `Model.unknown_species` lists those that it does
            not know.
        device: such as "cpu" or "cuda:1"; by default the GPU if there is one.
        precision: "fp32", "bf16", or "auto": bfloat16 where it is faster and close enough.
        engine: "torch", or "openvino" (faster on CPUs, an extra).

    Raises:
        UserError: the file is missing, damaged or no checkpoint; the engine is not installed; the
            pretrained network knows none of `species`, or they are given beside a path.
    """
    chosen = torch.device(device) if device else None
    model = load_model_or_pretrained(None if path is None else Path(path), species)
    return Model(Predictor(model, chosen, precision, engine))


def load_index(folder: str | os.PathLike[str], model: "Model") -> "Index":
    """Load a search index (the folder faiss_index) that `model`, or a network in it, made.

    Raises:
        UserError: it is missing, damaged, or another model made it.
    """
    index = photo_index.load_index(Path(folder))
    return Index(Searcher(model.predictor, index), Path(folder))


class Model:
    """Classify photos with a trained or the pretrained network; made by `load_model`.

    Attributes:
        species: the species that it distinguishes.
        description: what answers, in one line: which network, whether it was trained, and its
            measured accuracy.
        unknown_species: those that were asked for and that the pretrained network does not know;
            empty for a trained one.
        predictor: the network, for use with the rest of the package.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.species: tuple[str, ...] = predictor.model.class_names
        self.description: str = describe_model(predictor.model)
        self.unknown_species: tuple[str, ...] = unknown_species(predictor.model)

    def predict(
        self,
        photos: PhotoInput | Iterable[PhotoInput],
        *,
        batch_size: int = 32,
        threads: int = 2,
    ) -> Iterator[PhotoPrediction]:
        """Yield a prediction per photo, in order; an unreadable photo has a `reason`.

        Photos are read as the predictions are consumed, in bounded memory.

        Args:
            photos: one or many: paths of files or folders (with their subfolders), the bytes of
                files, or PIL images.
            batch_size: photos per forward pass.
            threads: that decode photos.
        """
        files: deque[tuple[str, Photo]] = deque()

        def named() -> Iterator[Photo]:
            for file, photo in _expand(photos):
                files.append((file, photo))
                yield photo

        results = predict_files(
            named(),
            self.predictor.predict,
            self.predictor.model.preprocessing,
            batch_size=batch_size,
            threads=threads,
        )
        for result in results:
            file, photo = files.popleft()
            if isinstance(result, PhotoError):
                yield PhotoPrediction({}, float("nan"), False, file, result.reason)
            else:
                said = result.value
                yield PhotoPrediction(
                    said.probabilities,
                    said.ood_score,
                    said.is_none_of_these,
                    file,
                    note=result.note,
                    **_camera_fields(photo),
                )

    def combine(self, predictions: Iterable[Prediction]) -> Prediction:
        """Return one prediction for several photos of one encounter, such as a camera's burst.

        >>> burst = list(model.predict(["1.jpg", "2.jpg", "3.jpg"]))  # doctest: +SKIP
        >>> model.combine(burst).species  # doctest: +SKIP
        'Panthera onca'

        Args:
            predictions: of `predict`, at least one; unreadable photos are left out. Photos that
                show the animal clearly count most (`models.combination.EncounterSums`).

        Returns:
            The combined prediction, whose species is empty if no photo could be read.
        """
        combined = combine_predictions(predictions, self.predictor.model.ood_threshold)
        return combined or Prediction({}, float("nan"), False)


class Index:
    """Search a collection for similar photos; made by `load_index`."""

    def __init__(self, searcher: Searcher, folder: Path) -> None:
        self._searcher = searcher
        self._folder = folder
        self._roots = photo_folders(folder.resolve().parent)

    def __len__(self) -> int:
        return len(self._searcher.index.table)

    def search(
        self,
        photo: PhotoInput,
        k: int = 10,
        *,
        group_duplicates: bool = True,
        **filters: Unpack[Filters],
    ) -> list[Hit]:
        """Return the `k` photos most similar to `photo`, the most similar first.

        Args:
            photo: a path, the bytes of a file, or a PIL image.
            k: number of hits; fewer come back only if fewer photos pass the filters.
            group_duplicates: list near-duplicates as `near_duplicates` of one hit.
            **filters: see `Filters`, such as `species=["Panthera uncia"]`. They apply inside the
                search, so `k` hits come back even if few of the nearest photos pass.

        Raises:
            UserError: the photo can't be read, or no photo has a species, license or observer of
                the filters.
        """
        index = self._searcher.index
        given: dict[str, Any] = {
            name: [value] if isinstance(value, str) and name != "place" else value
            for name, value in filters.items()
        }
        where = index.columns.resolve(PhotoFilter(**given))
        side = self._searcher.embedder.preprocessing.min_decoded_side
        source: Photo
        if isinstance(photo, bytes | Image.Image):
            source = photo
        else:
            source = find_spelling(Path(photo)) or Path(photo)
        try:
            image = load_photo(source, side)
        except PhotoError as error:
            name = f"{source}: " if isinstance(source, Path) else ""
            raise UserError(f"{name}{error}") from None
        result = self._searcher.search(image, k, where=where, group_duplicates=group_duplicates)
        described = describe_with_files(index.table, result.groups, self._folder, self._roots)
        return [Hit.model_validate(hit) for hit in described["hits"]]


def _expand(photos: PhotoInput | Iterable[PhotoInput]) -> Iterator[tuple[str, Photo]]:
    """Yield the path (or "") and the photo, for each photo of files, folders, bytes and images."""
    if isinstance(photos, str | os.PathLike | bytes | Image.Image):
        photos = [photos]
    for photo in photos:
        if isinstance(photo, bytes | Image.Image):
            yield "", photo
        elif isinstance(photo, str | os.PathLike):
            path = find_spelling(Path(photo)) or Path(photo)
            if not path.is_dir():
                yield str(path), path
                continue
            listing = list_photos(path)
            yield from ((str(file), file) for file in listing.photos)
            yield from ((str(folder), _unreadable_folder) for folder in listing.unreadable)
        else:
            raise TypeError(f"{type(photo).__name__}: a photo is a path, bytes or a PIL image")


def _camera_fields(photo: Photo) -> dict[str, Any]:
    if isinstance(photo, Image.Image):
        data = camera_data(photo.getexif())
    else:
        data = read_camera_data(photo) if isinstance(photo, Path | bytes) else CameraData()
    return {"taken_at": data.time, "latitude": data.latitude, "longitude": data.longitude}


def _unreadable_folder() -> Image.Image:
    raise PhotoError("folder unreadable")
