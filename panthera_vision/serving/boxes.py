"""Classify the animals on a photo by a detector's boxes, which come as JSON with the request."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from pydantic import BaseModel, Field

from panthera_vision.batch.detection_items import box_columns
from panthera_vision.batch.output_formats import prediction_to_row
from panthera_vision.detections.boxes import crop_square
from panthera_vision.detections.megadetector import Detection, DetectionFile
from panthera_vision.images.decoding import PhotoError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.serving.errors import RequestError

MOST_BOXES = 100


class BoxClassification(BaseModel):
    """The answer for one detection, with the detector's own values."""

    x: float | None = Field(description="Left edge, as a fraction of the photo's width.")
    y: float | None = Field(description="Upper edge, as a fraction of the photo's height.")
    width: float | None
    height: float | None
    detection_category: str
    detection_confidence: float | None
    answer: str = Field("", description="The species, “none of these”, “person” or “vehicle”.")
    reason: str = Field("", description="Why there is no answer, such as “box without area”.")
    species: str = Field("", description="The most likely species; of animals only.")
    probability: float | None = None
    runner_up: str = ""
    runner_up_probability: float | None = None
    ood_score: float | None = None
    probabilities: dict[str, float] = {}


def parse_detections(text: str, threshold: float | None) -> list[Detection]:
    """Return the detections of one photo above the threshold, and the invalid ones.

    Args:
        text: JSON: the list `detections` of MegaDetector's format, or the record of the photo.
        threshold: lowest confidence; None for the usual one.

    Raises:
        RequestError: it is neither, or there are too many.
    """
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong("no JSON") from None
    record = value if isinstance(value, dict) else {"detections": value}
    source = DetectionFile(Path("detections"), {}, 1)
    try:
        detections = source.detections(record, source.threshold if threshold is None else threshold)
    except PhotoError as error:
        raise _wrong(error.reason) from None
    if len(detections) > MOST_BOXES:
        raise _wrong(f"more than {MOST_BOXES} boxes")
    return detections


def classify_boxes(
    predictor: Predictor, photo: Image.Image, detections: list[Detection]
) -> list[BoxClassification]:
    """Classify the animals among the detections, in their order; others have their answer."""
    animals = [found.box for found in detections if found.kind == "animal" and found.box]
    crops = [predictor.model.preprocessing(crop_square(photo, box)) for box in animals]
    predictions = iter(predictor.predict(torch.stack(crops)) if crops else ())
    answers = []
    for found in detections:
        row = box_columns(found) | {"reason": found.reason}
        if found.kind == "animal" and found.box:
            row |= prediction_to_row(next(predictions))
        else:
            row["answer"] = found.kind or ""
        answers.append(BoxClassification.model_validate(row))
    return answers


def _wrong(problem: str) -> RequestError:
    detail = (
        f"detections: {problem}; send the list `detections` of one photo as MegaDetector writes it"
    )
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong value", detail)
