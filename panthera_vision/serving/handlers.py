"""Handle requests for classification, search and health; thread-safe."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import Form
from PIL import Image
from pydantic import BaseModel, Field

from panthera_vision.batch.camera_columns import camera_columns
from panthera_vision.batch.detection_items import BLANK
from panthera_vision.batch.output_formats import Row, prediction_to_row
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, decode, photo_note
from panthera_vision.images.kinds import KINDS
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.pretrained import describe_model, pretrained_model
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index.backend import BackendUnavailableError
from panthera_vision.search.live_index import LiveIndex
from panthera_vision.search.results import SimilarPhotos, describe_hits
from panthera_vision.serving.boxes import BoxClassification, classify_boxes, parse_detections
from panthera_vision.serving.errors import RequestError
from panthera_vision.serving.settings import ServiceSettings

MAX_HITS = 100
_FINGERPRINT = "SHA-256 of the checkpoint; “pretrained-…” for the pretrained model"
_DESCRIPTION = "What answers: which network, whether it was trained, its measured accuracy."
_NOTE = "What is odd about the photo's file, such as “end marker missing”; or empty."


@dataclass(frozen=True)
class SearchForm:
    """Hold the form fields of a search request beside the photo."""

    count: Annotated[int, Form(ge=1, le=MAX_HITS, description="Number of hits.")] = 10
    group_duplicates: Annotated[bool, Form(description="Group near-duplicates into one hit.")] = (
        True
    )
    species: Annotated[
        tuple[str, ...], Form(description="Filter by species, such as Panthera leo.")
    ] = ()
    license: Annotated[
        tuple[str, ...], Form(description="Filter by license: CC-BY, all-rights-reserved, …")
    ] = ()
    observer: Annotated[tuple[str, ...], Form(description="Filter by observer.")] = ()
    first_day: Annotated[date | None, Form(description="Earliest date of observation.")] = None
    last_day: Annotated[date | None, Form(description="Latest date of observation.")] = None
    place: Annotated[str, Form(description="Part of the place name.")] = ""

    def photo_filter(self) -> PhotoFilter:
        """Return the metadata filter, with values as the client writes them.

        Web forms send a field that is left empty as an empty value: it filters nothing.
        """
        species, licenses, observers = (
            tuple(filter(str.strip, values))
            for values in (self.species, self.license, self.observer)
        )
        return PhotoFilter(species, licenses, observers, self.first_day, self.last_day, self.place)


class CameraFields(BaseModel):
    """What the camera wrote into the photo that was sent (EXIF)."""

    taken_at: str | None = Field(description="Local time as ISO 8601, of the photo sent.")
    latitude: float | None = Field(description="In degrees north, of the photo sent.")
    longitude: float | None = Field(description="In degrees east, of the photo sent.")


class SearchAnswer(SimilarPhotos, CameraFields):
    """The photos of the collection that look most like the one sent."""

    model: str = Field(description="SHA-256 of the checkpoint.")
    note: str = Field(description=_NOTE)
    collection: int = Field(description="Number of photos in the collection.")
    matching: int = Field(description="Number of photos that match the filters.")
    notice: str = Field(
        description="Why an older index was used (a rebuild, for example); empty otherwise."
    )


class Classification(CameraFields):
    """The classification of a photo; named as in the table of `src/predict.py`."""

    answer: str = Field(description="The species, or “none of these”.")
    species: str = Field(description="The most likely species.")
    probability: float = Field(description="Calibrated, given that it is one of the species.")
    runner_up: str = Field(description="The second most likely species; may be empty.")
    runner_up_probability: float
    ood_score: float = Field(
        description="Out-of-distribution (OOD) score; higher is less similar to training photos."
    )
    probabilities: dict[str, float] = Field(description="By species, the most likely first.")
    model: str = Field(description=f"{_FINGERPRINT}.")
    description: str = Field(description=_DESCRIPTION)
    note: str = Field(description=_NOTE)


class BoxClassifications(CameraFields):
    """The classification of the animals that a detector found on a photo."""

    answer: str = Field(description="“blank” where no detection is above the threshold, or empty.")
    boxes: list[BoxClassification] = Field(description="In the order of the request.")
    model: str = Field(description=f"{_FINGERPRINT}.")
    description: str = Field(description=_DESCRIPTION)
    note: str = Field(description=_NOTE)


class Health(BaseModel):
    """What the service can do now."""

    can_classify: bool
    can_search: bool
    species: list[str] = Field(description="Species (classes) of the model.")
    backbone: str
    model: str = Field(description=f"{_FINGERPRINT}; empty if there is none.")
    description: str = Field(description=_DESCRIPTION)
    collection: int = Field(description="Number of photos in the index.")
    problem: str = Field(
        description="What is missing or outdated, and what to run; empty otherwise."
    )


class RequestHandlers:
    """Answer requests with one model and index in memory, reloaded when their files change.

    Thread-safe.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        species = settings.species
        pretrained = None if species is None else partial(pretrained_model, species)
        self._live = LiveIndex(settings.model, settings.index, pretrained)

    def search(self, data: bytes, form: SearchForm) -> SearchAnswer:
        """Find the photos most similar to the one in `data`.

        Raises:
            RequestError: there is no index yet or its server is down, a filter value is unknown,
                or `data` is not a photo.
        """
        try:
            searcher, problem = self._live.searcher()
        except UserError as missing:
            raise self._unavailable("no search yet", missing) from None
        index = searcher.index
        try:
            where = index.columns.resolve(form.photo_filter())
        except UserError as wrong:
            raise _unprocessable("wrong value", str(wrong)) from None
        image = self._decode(data)
        try:
            result = searcher.search(
                image, form.count, where=where, group_duplicates=form.group_duplicates
            )
        except BackendUnavailableError as down:
            raise self._unavailable("no search now", down) from None
        return SearchAnswer(
            **dict(describe_hits(index.table, result.groups, self._settings.coordinates)),
            **camera_columns(data, self._settings.coordinates),
            model=index.manifest.model_fingerprint,
            note=photo_note(image),
            collection=len(index.table),
            matching=result.matching,
            notice=self._message(problem) or index.columns.undated_note(where),
        )

    def classify(self, data: bytes) -> Classification:
        """Classify the photo in `data`.

        Raises:
            RequestError: there is no model yet, or `data` is not a photo.
        """
        predictor, image = self._predictor(), self._decode(data)
        return Classification(
            **prediction_to_row(predictor.predict_image(image)),
            **self._shared_fields(predictor, data, image),
        )

    def classify_boxes(
        self, data: bytes, detections: str, threshold: float | None
    ) -> BoxClassifications:
        """Classify the animals that a detector found on the photo in `data`.

        Args:
            data: the photo's file.
            detections: JSON, see `parse_detections`.
            threshold: lowest confidence of a detection; None for the usual one.

        Raises:
            RequestError: there is no model yet, or `data` or `detections` is something else.
        """
        found = parse_detections(detections, threshold)
        predictor, image = self._predictor(), self._decode(data)
        boxes = classify_boxes(predictor, image, found)
        shared = self._shared_fields(predictor, data, image)
        return BoxClassifications(answer="" if boxes else BLANK, boxes=boxes, **shared)

    def _predictor(self) -> Predictor:
        try:
            return self._live.predictor()
        except UserError as missing:
            raise self._unavailable("no model yet", missing) from None

    def _shared_fields(self, predictor: Predictor, data: bytes, image: Image.Image) -> Row:
        """Return the fields of an answer about the model and the photo's file."""
        return {
            "model": predictor.model.fingerprint,
            "description": describe_model(predictor.model),
            "note": photo_note(image),
            **camera_columns(data, self._settings.coordinates),
        }

    def health(self) -> Health:
        """Report what the service can do; load model and index if they are not loaded yet."""
        problem: UserError | None = None
        model, collection = None, 0
        try:
            model = self._live.predictor().model
            searcher, problem = self._live.searcher()
            collection = len(searcher.index.table)
        except UserError as missing:
            problem = missing
        return Health(
            can_classify=model is not None,
            can_search=collection > 0,
            species=list(model.class_names) if model else [],
            backbone=model.backbone.name if model else "",
            model=model.fingerprint if model else "",
            description=describe_model(model) if model else "",
            collection=collection,
            problem=self._message(problem),
        )

    def _decode(self, data: bytes) -> Image.Image:
        try:
            return decode(data, maximum_pixels=self._settings.pixels)
        except PhotoError as error:
            detail = f"send {KINDS}" if error.reason == "not a photo" else ""
            raise _unprocessable(error.reason, detail) from None

    def _unavailable(self, error: str, problem: UserError) -> RequestError:
        return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, error, self._message(problem))

    def _message(self, problem: UserError | None) -> str:
        """Return a problem's message without the server's folders."""
        message = str(problem) if problem else ""
        model, index = self._settings.model, self._settings.index
        for folder in (model.parent.parent if model else None, index.parent if index else None):
            message = message.replace(f"{folder}/", "")
        return message


def _unprocessable(error: str, detail: str = "") -> RequestError:
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, error, detail)
