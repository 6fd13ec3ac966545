"""A model and its index, asked by many threads: photos in, answers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from PIL import Image
from pydantic import BaseModel, Field

from panthera_vision.batch.output_formats import prediction_to_row
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, decode
from panthera_vision.search.asked import parse_filters
from panthera_vision.search.described import SimilarPhotos, describe_hits
from panthera_vision.search.live_index import LiveIndex
from panthera_vision.serving.errors import RequestError
from panthera_vision.serving.settings import ServiceSettings


class SearchAnswer(SimilarPhotos):
    """The photos of the collection that look most like the one sent."""

    model: str = Field(description="SHA-256 of the checkpoint that compared them.")
    collection: int = Field(description="How many photos the collection has.")
    passing: int = Field(description="How many of them pass the filters.")
    notice: str = Field(
        description="Why an earlier index answered, while a new one is being made; else empty."
    )


class Classification(BaseModel):
    """What the model says of a photo; named as in the table of `src/predict.py`."""

    answer: str = Field(description="The species, or “none of these”.")
    species: str = Field(description="The likeliest species.")
    probability: float = Field(description="Calibrated; presumes that it is one of the species.")
    runner_up: str = Field(description="The second likeliest species; may be empty.")
    runner_up_probability: float
    ood_score: float = Field(description="Higher is stranger.")
    probabilities: dict[str, float] = Field(description="By species, the likeliest first.")
    model: str = Field(description="SHA-256 of the checkpoint that said so.")


class Health(BaseModel):
    """What the service can do now."""

    can_classify: bool
    can_search: bool
    species: list[str] = Field(description="That the model knows.")
    backbone: str
    model: str = Field(description="SHA-256 of its checkpoint; empty where there is none.")
    collection: int = Field(description="How many photos can be found.")
    problem: str = Field(description="What is missing or out of date, and what to run; or empty.")


@dataclass(frozen=True)
class SearchRequest:
    """What a request asks of the collection, as it writes it."""

    count: int
    folded: bool
    species: Sequence[str]
    licenses: Sequence[str]
    observers: Sequence[str]
    first_day: date | None
    last_day: date | None
    place: str


class RequestHandlers:
    """Answers about photos, with one model in memory; a new model or index is taken up by itself.

    All methods may be called by several threads.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._service = LiveIndex(settings.model, settings.index)

    def search(self, data: bytes, asked: SearchRequest) -> SearchAnswer:
        """Photos similar to the one in `data`.

        Raises:
            RequestError: there is no search yet, no such species, …, or no photo in `data`.
        """
        try:
            search, problem = self._service.searcher()
        except UserError as missing:
            raise self._not_ready("no search yet", missing) from None
        index = search.index
        try:
            wanted = parse_filters(
                index.table,
                species=asked.species,
                licenses=asked.licenses,
                observers=asked.observers,
                first_day=asked.first_day,
                last_day=asked.last_day,
                place=asked.place,
            )
        except UserError as wrong:
            raise _unprocessable("wrong value", str(wrong)) from None
        found = search.search(
            self._photo(data), asked.count, where=wanted, group_duplicates=asked.folded
        )
        return SearchAnswer(
            **dict(describe_hits(index.table, found.groups)),
            model=index.note.model_fingerprint,
            collection=len(index.table),
            passing=found.matching,
            notice=self._said(problem),
        )

    def classify(self, data: bytes) -> Classification:
        """What the model says of the photo in `data`.

        Raises:
            RequestError: there is no model yet, or no photo in `data`.
        """
        try:
            predictor = self._service.predictor()
        except UserError as missing:
            raise self._not_ready("no model yet", missing) from None
        answer = predictor.predict_image(self._photo(data))
        return Classification(**prediction_to_row(answer), model=predictor.model.fingerprint)

    def health(self) -> Health:
        """What can be asked for; loads what is not loaded yet."""
        problem: UserError | None = None
        model, collection = None, 0
        try:
            model = self._service.predictor().model
            search, problem = self._service.searcher()
            collection = len(search.index.table)
        except UserError as missing:
            problem = missing
        return Health(
            can_classify=model is not None,
            can_search=collection > 0,
            species=list(model.class_names) if model else [],
            backbone=model.backbone if model else "",
            model=model.fingerprint if model else "",
            collection=collection,
            problem=self._said(problem),
        )

    def _photo(self, data: bytes) -> Image.Image:
        try:
            return decode(data, maximum_pixels=self._settings.pixels)
        except PhotoError as error:
            raise _unprocessable(error.reason) from None

    def _not_ready(self, error: str, problem: UserError) -> RequestError:
        return RequestError(HTTPStatus.SERVICE_UNAVAILABLE, error, self._said(problem))

    def _said(self, problem: UserError | None) -> str:
        """A problem's words without this machine's folders."""
        words = str(problem) if problem else ""
        for folder in (self._settings.model.parent.parent, self._settings.index.parent):
            words = words.replace(f"{folder}/", "")
        return words


def _unprocessable(error: str, detail: str = "") -> RequestError:
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, error, detail)
