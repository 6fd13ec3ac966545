"""Write answers in MegaDetector's format, for Timelapse and the tools around MegaDetector."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from panthera_vision.batch.output_formats import Row
from panthera_vision.data.speciesnet_labels import english_name, speciesnet_label
from panthera_vision.detections.megadetector import DetectionFile, Record, name_of
from panthera_vision.detections.photo_names import NO_NAME
from panthera_vision.models.prediction import NONE_OF_THESE

FORMAT_VERSION = "1.6"
_DIGITS = 4
_MOST_SPECIES = 5  # of a detection
_CLASSIFIER = "panthera-vision"
_EARLIER = "earlier_classifications"


@dataclass(frozen=True)
class MegaDetectorJson:
    """Write rows as one JSON object, a photo at a time.

    With a detector's file, its photos, detections and all other fields stay as they are, and each
    detection that was classified gets `classifications`. Those of another classifier are kept
    beside them, as `earlier_classifications`, and their categories keep their IDs. Without such a
    file, each photo gets one detection: the whole photo, as an animal.

    Attributes:
        model: fingerprint of the checkpoint.
        species: the classes of the model.
        source: the detector's file.
    """

    model: str
    species: Sequence[str]
    source: DetectionFile | None = None

    def __call__(self, rows: Iterable[Row], file: TextIO, columns: Sequence[str]) -> None:
        """Write the rows, in the order of the items; `columns` are not used."""
        earlier = self.source.header if self.source else {}
        named = _names(earlier.get("classification_categories"))
        described = _names(earlier.get("classification_category_descriptions"))
        described = {key: described.get(key, name) for key, name in named.items()}
        identifiers = self._add_categories(named, described)
        changed = {
            "info": self._info(),
            "detection_categories": self.source.categories if self.source else {"1": "animal"},
            "classification_categories": named,
            "classification_category_descriptions": described,
        }
        streamed = ("images", "predictions")
        kept = {k: v for k, v in earlier.items() if k not in changed and k not in streamed}
        for place, (key, value) in enumerate({**changed, **kept}.items()):
            file.write(",\n" if place else "{\n")
            file.write(f"{json.dumps(key)}: {json.dumps(value, indent=1)}")
        file.write(',\n"images": [')
        for place, record in enumerate(self._records(iter(rows), identifiers)):
            file.write((",\n" if place else "\n") + json.dumps(record))
        file.write("\n]\n}\n")

    def _info(self) -> dict[str, Any]:
        is_speciesnet = self.source is not None and self.source.is_speciesnet
        info = dict(self.source.info) if self.source and not is_speciesnet else {}
        try:
            # What is written here came with 1.3, and the number is text.
            version = max(float(info.get("format_version", FORMAT_VERSION)), 1.3)
        except (TypeError, ValueError):
            version = float(FORMAT_VERSION)
        info["format_version"] = str(version)
        if self.source is None:
            info["detector"] = "none, whole photos"
        info["classifier"] = f"{_CLASSIFIER} {self.model}"
        info["classification_completion_time"] = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        return info

    def _add_categories(self, named: dict[str, str], described: dict[str, str]) -> dict[str, str]:
        """Add a category for each possible answer; return the ID of each answer."""
        known = {text: key for key, text in described.items()}
        unused = max((int(key) for key in named if key.isascii() and key.isdigit()), default=-1) + 1
        identifiers = {}
        for answer in (*self.species, NONE_OF_THESE):
            label = speciesnet_label(answer)
            if label not in known:
                known[label] = str(unused)
                named[str(unused)], described[str(unused)] = english_name(answer), label
                unused += 1
            identifiers[answer] = known[label]
        return identifiers

    def _records(self, rows: Iterator[Row], identifiers: dict[str, str]) -> Iterator[Record]:
        if self.source is None:
            yield from (_whole_photo(row, identifiers) for row in rows)
            return
        is_ours = str(self.source.info.get("classifier", "")).startswith(_CLASSIFIER)
        row: Row | None = next(rows, None)
        for place, record in enumerate(self.source.records()):
            while row is not None and row.get("record") == place:
                if row.get("probabilities"):
                    detection = record["detections"][row["box"]]
                    if "classifications" in detection and not is_ours:
                        detection[_EARLIER] = detection["classifications"]
                    detection["classifications"] = _classifications(row, identifiers)
                row = next(rows, None)
            if not name_of(record):
                record |= {"file": "", "failure": NO_NAME, "detections": None}
            yield record
        for _ in rows:  # photos that the detector's file does not name: their rows are counted
            pass


def _whole_photo(row: Row, identifiers: dict[str, str]) -> Record:
    if row["reason"]:
        return {"file": row["name"], "failure": row["reason"], "detections": None}
    detection = {"category": "1", "conf": 1.0, "bbox": [0.0, 0.0, 1.0, 1.0]}
    detection["classifications"] = _classifications(row, identifiers)
    return {"file": row["name"], "detections": [detection]}


def _classifications(row: Row, identifiers: dict[str, str]) -> list[list[Any]]:
    """Return category and confidence of the likeliest species, in descending order.

    "None of these" is a decision without a probability of its own: it stands alone, with 1.
    """
    if row["answer"] == NONE_OF_THESE:
        return [[identifiers[NONE_OF_THESE], 1.0]]
    likeliest = list(row["probabilities"].items())[:_MOST_SPECIES]
    return [[identifiers[species], round(p, _DIGITS)] for species, p in likeliest]


def _names(value: Any) -> dict[str, str]:
    return {str(key): str(name) for key, name in value.items()} if isinstance(value, dict) else {}
