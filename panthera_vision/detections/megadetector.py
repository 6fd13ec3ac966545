"""Read a detector's file: MegaDetector's format 1.0 to 1.6, AddaxAI's, SpeciesNet's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

from panthera_vision.detections.boxes import Box, is_number, parse_box
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError
from panthera_vision.io.json_stream import stream_members

Kind = Literal["animal", "person", "vehicle"]
Record = dict[str, Any]
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("animal", "animals", "unidentified animal"), "animal"),
    **dict.fromkeys(("person", "people", "human"), "person"),
    **dict.fromkeys(("vehicle", "vehicles"), "vehicle"),
}
_NO_DETECTION = {"empty", "blank", "none"}
_CATEGORIES = {"1": "animal", "2": "person", "3": "vehicle"}
# The thresholds that the authors recommend for the versions of MegaDetector (module run_detector
# of the package megadetector 10).
_THRESHOLDS = ((r"v?[234](\.|$|[^0-9])", 0.8), (r"v?5", 0.2), (r"redwood|v?1000", 0.3))
_USUAL_THRESHOLD = 0.2
_OLD_THRESHOLD = 0.8  # a file of format 1.0 or 1.1 without a detector's name is of version 4
_VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".mpeg", ".mpg", ".m4v", ".flv", ".wmv", ".webm", ".asf"}
_MOST_BOXES = 1000


@dataclass(frozen=True)
class Detection:
    """Hold a detection above the threshold.

    Attributes:
        number: its place among the detections of the photo, from 0.
        kind: what was detected; None where `reason` says why the detection is of no use.
        category: the name of its category.
        confidence: 0 to 1; None where the file has no number.
        box: in the upright photo; None where the file has none that can be used.
        reason: "" or a short phrase.
    """

    number: int
    kind: Kind | None
    category: str
    confidence: float | None
    box: Box | None
    reason: str = ""


@dataclass(frozen=True)
class DetectionFile:
    """Hold what a detector's file says of all photos; its photos are read as they are needed.

    Attributes:
        path: the file.
        header: all members of the file but the photos.
        photos: number of photos.
        content: the bytes of the file, where they are in memory.
    """

    path: Path
    header: dict[str, Any]
    photos: int
    content: bytes | None = None

    @property
    def is_speciesnet(self) -> bool:
        """Return whether it is a `predictions.json` of SpeciesNet."""
        return "predictions" in self.header

    @property
    def info(self) -> dict[str, Any]:
        return _dict(self.header.get("info"))

    @property
    def categories(self) -> dict[str, str]:
        """Return the names of the detection categories by ID."""
        named = _dict(self.header.get("detection_categories"))
        return {str(key): str(name) for key, name in named.items()} or _CATEGORIES

    @property
    def threshold(self) -> float:
        """Return the file's own typical threshold, or that of the detector's version."""
        for place in (_dict(self.info.get("detector_metadata")), self.info):
            typical = place.get("typical_detection_threshold")
            if is_number(typical) and 0 <= typical <= 1:
                return float(typical)
        if detector := PurePath(str(self.info.get("detector") or "")).name.lower():
            for pattern, threshold in _THRESHOLDS:
                if re.search(rf"(^|md|megadetector|_|-| ){pattern}", detector):
                    return threshold
            return _USUAL_THRESHOLD
        is_old = str(self.info.get("format_version", "")) in ("1.0", "1.1", "1")
        return _OLD_THRESHOLD if is_old else _USUAL_THRESHOLD

    def records(self) -> Iterator[Record]:
        """Yield the record of each photo in MegaDetector's form, in the order of the file."""
        for key, value in stream_members(self.path, _ARRAYS, self.content):
            if key in _ARRAYS and value != []:
                record = value if isinstance(value, dict) else {}
                yield _from_speciesnet(record) if self.is_speciesnet else record

    def detections(self, record: Record, threshold: float) -> list[Detection]:
        """Return the detections of a photo that are above the threshold, and the invalid ones.

        Raises:
            PhotoError: the photo has none because the detector failed or it is a video.
        """
        if is_video(record):
            raise PhotoError("video")
        if record.get("failure"):
            raise PhotoError("detector failed")
        found = record.get("detections")
        if not isinstance(found, list):
            raise PhotoError("no detections given")
        if len(found) > _MOST_BOXES:
            raise PhotoError("too many boxes")
        read = (self._detection(number, value, threshold) for number, value in enumerate(found))
        return [detection for detection in read if detection is not None]

    def _detection(self, number: int, value: Any, threshold: float) -> Detection | None:
        value = _dict(value)
        # AddaxAI puts its classifier's answer in place of the detector's, which it keeps.
        key = str(value.get("prev_category", value.get("category")))
        confidence = value.get("prev_conf", value.get("conf"))
        category = self.categories.get(key, str(value.get("label") or ""))
        if category.strip().lower() in _NO_DETECTION:
            return None
        if not is_number(confidence) or not 0 <= confidence <= 1:
            return Detection(number, None, category, None, None, "invalid confidence")
        if confidence < threshold:
            return None
        kind = _KINDS.get(category.strip().lower())
        if kind is None and self._is_addaxai and category:
            kind = "animal"  # a species that a person or the classifier chose
        if kind is None:
            return Detection(number, None, category, confidence, None, "unknown category")
        try:
            return Detection(number, kind, category, confidence, parse_box(value.get("bbox")))
        except PhotoError as error:
            return Detection(number, None, category, confidence, None, error.reason)

    @property
    def _is_addaxai(self) -> bool:
        return "addaxai_metadata" in self.info or "ecoassist_metadata" in self.info


_ARRAYS = ("images", "predictions")


def open_detections(path: Path, content: bytes | None = None) -> DetectionFile:
    """Read a detector's file once, to check it and to count its photos.

    Args:
        path: the file.
        content: its bytes, where they are in memory; `path` is its name then.

    Raises:
        UserError: it can't be read, is no JSON object, or has neither `images`, as MegaDetector
            and AddaxAI write, nor `predictions`, as SpeciesNet does.
    """
    header: dict[str, Any] = {}
    photos = 0
    try:
        for key, value in stream_members(path, _ARRAYS, content):
            if key in _ARRAYS:
                header.setdefault(key, [])
                photos += value != []
            else:
                header[key] = value
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    streamed = [key for key in _ARRAYS if key in header]
    if len(streamed) != 1:
        raise UserError(
            f"{path} is no file of a detector: it needs a list 'images' (MegaDetector, AddaxAI) or "
            "'predictions' (SpeciesNet)"
        )
    version = str(_dict(header.get("info")).get("format_version", "1"))
    if streamed[0] == "images" and not re.match(r"1(\.|$)", version):
        raise UserError(f"{path} has MegaDetector's format {version}; versions 1.0 to 1.6 are read")
    return DetectionFile(path, header, photos, content)


def is_video(record: Record) -> bool:
    """Return whether a record is that of a video, which has boxes of several frames."""
    return PurePath(name_of(record)).suffix.lower() in _VIDEOS or "frame_rate" in record


def name_of(record: Record) -> str:
    """Return the file name of a record; "" if it has none."""
    name = record.get("file")
    return name if isinstance(name, str) else ""


def _from_speciesnet(record: Record) -> Record:
    """Return a record of `predictions.json` with the names of MegaDetector's format."""
    names = {"filepath": "file", "failures": "failure"}
    converted = {names.get(key, key): value for key, value in record.items()}
    if isinstance(failures := converted.get("failure"), list):
        # Where only the classifier failed, there are boxes.
        if "detections" in converted:
            converted["speciesnet_failures"] = converted.pop("failure")
        else:
            converted |= {"failure": ", ".join(map(str, failures)), "detections": None}
    return converted


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
