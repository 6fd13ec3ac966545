"""Make each box of a detector what is classified, in place of the visitor's photos."""

from collections.abc import Sequence
from dataclasses import replace

from panthera_vision.batch.detection_items import BLANK
from panthera_vision.detections.megadetector import DetectionFile, Record
from panthera_vision.images.decoding import PhotoError
from panthera_vision.ui.classification.prediction_cache import PhotoFile
from panthera_vision.ui.detections import find_records


def with_boxes(
    files: Sequence[PhotoFile], source: DetectionFile
) -> tuple[list[PhotoFile], list[str]]:
    """Replace each photo by the boxes on it; return the names of photos without a record, too.

    Photos without a record are left as they are; see `find_records`.
    """
    records = find_records(source, [file.name for file in files])
    boxes: list[PhotoFile] = []
    without = []
    for file in files:
        if file.name in records:
            boxes += _boxes_of(file, source, records[file.name])
        else:
            boxes.append(file)
            without.append(file.name)
    return boxes, without


def _boxes_of(file: PhotoFile, source: DetectionFile, record: Record) -> list[PhotoFile]:
    try:
        detections = source.detections(record, source.threshold)
    except PhotoError as error:
        return [replace(file, key=f"{file.key} {error.reason}", reason=error.reason)]
    if not detections:
        return [replace(file, key=f"{file.key} {BLANK}", answer=BLANK)]
    boxes = []
    for found in detections:
        numbered = file.name if len(detections) == 1 else f"{file.name} · {found.number + 1}"
        kind = found.kind or ""
        boxes.append(
            replace(
                file,
                key=f"{file.key} {found}",
                name=numbered,
                detection=found,
                answer="" if kind == "animal" else kind,
                reason=found.reason,
            )
        )
    return boxes
