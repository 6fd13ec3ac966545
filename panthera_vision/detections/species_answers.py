"""Read which species SpeciesNet names on each photo.

Its own `predictions.json` has one answer for a photo. In MegaDetector's format, which the tools
around it write, each detection has classifications: the surest detection is that of the photo.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from panthera_vision.data.speciesnet_labels import SpeciesNetLabel, parse_label
from panthera_vision.detections.boxes import is_number
from panthera_vision.detections.megadetector import DetectionFile, Record, name_of
from panthera_vision.errors import UserError


@dataclass(frozen=True)
class SpeciesAnswer:
    """Hold what another model says of a photo.

    Attributes:
        file: the photo, as its file names it.
        label: what is on the photo.
        probability: from 0 to 1; None where the file has none.
    """

    file: str
    label: SpeciesNetLabel
    probability: float | None


def read_species_answers(source: DetectionFile) -> Iterator[SpeciesAnswer]:
    """Yield the answer for each photo of a file; photos without one are of the kind unknown.

    Raises:
        UserError: the file has no classifications.
    """
    if not source.is_speciesnet and not source.header.get("classification_categories"):
        raise UserError(
            f"{source.path} has no species: it needs 'prediction' (SpeciesNet) or "
            "'classification_categories' (MegaDetector's format)"
        )
    labels = _labels(source.header)
    for record in source.records():
        if not name_of(record):
            continue
        if source.is_speciesnet:
            yield _whole_photo(record)
        else:
            yield _surest_detection(record, labels, source.categories, source.threshold)


def _labels(header: Mapping[str, Any]) -> dict[str, SpeciesNetLabel]:
    """Return the labels of the categories by ID: of the descriptions, else of the names."""
    names = header.get("classification_categories")
    descriptions = header.get("classification_category_descriptions")
    found = dict(names) if isinstance(names, dict) else {}
    found |= descriptions if isinstance(descriptions, dict) else {}
    return {str(key): parse_label(str(text)) for key, text in found.items()}


def _whole_photo(record: Record) -> SpeciesAnswer:
    label, score = record.get("prediction"), record.get("prediction_score")
    if not isinstance(label, str):
        # Without a detector, SpeciesNet's classifier alone answers.
        classified = record.get("classifications")
        classified = classified if isinstance(classified, dict) else {}
        label, score = _first(classified.get("classes")), _first(classified.get("scores"))
    text = label if isinstance(label, str) else ""
    return SpeciesAnswer(name_of(record), parse_label(text), _probability(score))


def _surest_detection(
    record: Record,
    labels: Mapping[str, SpeciesNetLabel],
    categories: Mapping[str, str],
    threshold: float,
) -> SpeciesAnswer:
    detections = record.get("detections")
    if record.get("failure") or not isinstance(detections, list):
        return SpeciesAnswer(name_of(record), parse_label(""), None)
    surest: dict[str, Any] = {}
    for detection in detections:
        confidence = detection.get("conf") if isinstance(detection, dict) else None
        if is_number(confidence) and confidence >= max(threshold, surest.get("conf", 0)):
            surest = detection
    if not surest:
        return SpeciesAnswer(name_of(record), parse_label("blank"), None)
    classified = _first(surest.get("classifications"))
    if isinstance(classified, list) and len(classified) == 2:
        label = labels.get(str(classified[0]), parse_label(""))
        return SpeciesAnswer(name_of(record), label, _probability(classified[1]))
    kind = categories.get(str(surest.get("category")), "")
    return SpeciesAnswer(name_of(record), parse_label(kind), _probability(surest["conf"]))


def _first(values: Any) -> Any:
    return values[0] if isinstance(values, list) and values else None


def _probability(value: Any) -> float | None:
    return float(value) if is_number(value) and 0 <= value <= 1 else None
