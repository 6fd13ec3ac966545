"""Camtrap DP packages for tests, and the rules of its version 1.0 for frictionless.

The rules of the tables are written down here from the documentation, so that the tests need no
network: names, types, vocabularies and limits of https://camtrap-dp.tdwg.org/data.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..conftest import draw_photo

SITE = "https://raw.githubusercontent.com/tdwg/camtrap-dp"
_TIME = "datetime"
_DEPLOYMENTS: dict[str, Any] = {
    "deploymentID": {"required": True, "unique": True},
    "locationID": {},
    "locationName": {},
    "latitude": ("number", {"required": True, "minimum": -90, "maximum": 90}),
    "longitude": ("number", {"required": True, "minimum": -180, "maximum": 180}),
    "coordinateUncertainty": ("integer", {"minimum": 1}),
    "deploymentStart": (_TIME, {"required": True}),
    "deploymentEnd": (_TIME, {"required": True}),
    "setupBy": {},
    "cameraID": {},
    "cameraModel": {},
    "cameraDelay": ("integer", {"minimum": 0}),
    "cameraHeight": ("number", {"minimum": 0}),
    "cameraDepth": ("number", {"minimum": 0}),
    "cameraTilt": ("integer", {"minimum": -90, "maximum": 90}),
    "cameraHeading": ("integer", {"minimum": 0, "maximum": 360}),
    "detectionDistance": ("number", {"minimum": 0}),
    "timestampIssues": ("boolean", {}),
    "baitUse": ("boolean", {}),
    "featureType": {},
    "habitat": {},
    "deploymentGroups": {},
    "deploymentTags": {},
    "deploymentComments": {},
}
_MEDIA: dict[str, Any] = {
    "mediaID": {"required": True, "unique": True},
    "deploymentID": {"required": True},
    "captureMethod": {"enum": ["activityDetection", "timeLapse"]},
    "timestamp": (_TIME, {"required": True}),
    "filePath": {"required": True},
    "filePublic": ("boolean", {"required": True}),
    "fileName": {},
    "fileMediatype": {"required": True, "pattern": "^(image|video|audio)/.*$"},
    "exifData": ("any", {}),
    "favorite": ("boolean", {}),
    "mediaComments": {},
}
_OBSERVATIONS: dict[str, Any] = {
    "observationID": {"required": True, "unique": True},
    "deploymentID": {"required": True},
    "mediaID": {},
    "eventID": {},
    "eventStart": (_TIME, {"required": True}),
    "eventEnd": (_TIME, {"required": True}),
    "observationLevel": {"required": True, "enum": ["media", "event"]},
    "observationType": {
        "required": True,
        "enum": ["animal", "human", "vehicle", "blank", "unknown", "unclassified"],
    },
    "cameraSetupType": {"enum": ["setup", "calibration"]},
    "scientificName": {},
    "count": ("integer", {"minimum": 1}),
    "lifeStage": {"enum": ["adult", "subadult", "juvenile"]},
    "sex": {"enum": ["female", "male"]},
    "behavior": {},
    "individualID": {},
    "individualPositionRadius": ("number", {"minimum": 0}),
    "individualPositionAngle": ("number", {"minimum": -90, "maximum": 90}),
    "individualSpeed": ("number", {"minimum": 0}),
    "bboxX": ("number", {"minimum": 0, "maximum": 1}),
    "bboxY": ("number", {"minimum": 0, "maximum": 1}),
    "bboxWidth": ("number", {"minimum": 1e-15, "maximum": 1}),
    "bboxHeight": ("number", {"minimum": 1e-15, "maximum": 1}),
    "classificationMethod": {"enum": ["human", "machine"]},
    "classifiedBy": {},
    "classificationTimestamp": (_TIME, {}),
    "classificationProbability": ("number", {"minimum": 0, "maximum": 1}),
    "observationTags": {},
    "observationComments": {},
}
_TABLES = {"deployments": _DEPLOYMENTS, "media": _MEDIA, "observations": _OBSERVATIONS}
_KEYS = {"deployments": "deploymentID", "media": "mediaID", "observations": "observationID"}


def table_schema(table: str) -> dict[str, Any]:
    """The Table Schema of a table of Camtrap DP 1.0."""
    fields = []
    for name, rule in _TABLES[table].items():
        kind, constraints = rule if isinstance(rule, tuple) else ("string", rule)
        field = {"name": name, "type": kind, "constraints": constraints}
        if kind == _TIME:
            field["format"] = "%Y-%m-%dT%H:%M:%S%z"
        fields.append(field)
    references = {"media": ("deployments",), "observations": ("deployments", "media")}
    return {
        "fields": fields,
        "missingValues": ["", "NA", "NaN", "nan"],
        "primaryKey": _KEYS[table],
        "foreignKeys": [
            {"fields": _KEYS[other], "reference": {"resource": other, "fields": _KEYS[other]}}
            for other in references.get(table, ())
        ],
    }


def descriptor(version: str = "1.0.1", **changes: Any) -> dict[str, Any]:
    """A datapackage.json with all that Camtrap DP requires."""
    return {
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": f"{SITE}/{version}/{name}-table-schema.json",
            }
            for name in _TABLES
        ],
        "profile": f"{SITE}/{version}/camtrap-dp-profile.json",
        "name": "cats-of-the-valley",
        "id": "https://doi.org/10.5072/cats",
        "created": "2024-02-06T11:23:03Z",
        "contributors": [
            {"title": "Ann Field", "role": "contact"},
            {"title": "Valley Trust", "role": "rightsHolder"},
        ],
        "licenses": [
            {"name": "CC0-1.0", "scope": "data"},
            {"path": "http://creativecommons.org/licenses/by-nc/4.0/", "scope": "media"},
        ],
        "project": {
            "title": "Cats of the valley",
            "samplingDesign": "targeted",
            "captureMethod": ["activityDetection"],
            "individualAnimals": False,
            "observationLevel": ["event"],
        },
        "spatial": {"type": "Point", "coordinates": [80.5, 28.2]},
        "temporal": {"start": "2023-01-01", "end": "2023-12-31"},
        "taxonomic": [{"scientificName": "Panthera tigris", "taxonRank": "species"}],
        **changes,
    }


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A CSV table; a row's missing cells are empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def deployment(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "deploymentID": f"dep{number}",
        "locationID": f"loc{number}",
        "locationName": f"Ford {number}",
        "latitude": 28.2 + number / 100,
        "longitude": 80.5,
        "deploymentStart": "2023-01-01T00:00:00+05:45",
        "deploymentEnd": "2023-12-31T00:00:00+05:45",
    } | changes


def medium(id: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A photo of deployment `number`, taken on 1 May 2023 at 5 in the morning."""
    return {
        "mediaID": id,
        "deploymentID": f"dep{number}",
        "timestamp": "2023-05-01T05:00:00+05:45",
        "filePath": f"media/{id}.jpg",
        "filePublic": "false",
        "fileMediatype": "image/jpeg",
    } | changes


def seen(id: str, media: str, name: str = "Panthera tigris", **changes: Any) -> dict[str, Any]:
    """What a person saw on a photo of deployment 1."""
    return {
        "observationID": id,
        "deploymentID": "dep1",
        "mediaID": media,
        "eventStart": "2023-05-01T05:00:00+05:45",
        "eventEnd": "2023-05-01T05:00:00+05:45",
        "observationLevel": "media",
        "observationType": "animal",
        "scientificName": name,
        "classificationMethod": "human",
        "classifiedBy": "Ann Field",
    } | changes


def write_package(
    folder: Path,
    media: Sequence[Mapping[str, Any]],
    observations: Sequence[Mapping[str, Any]],
    deployments: Sequence[Mapping[str, Any]] | None = None,
    *,
    photos: bool = False,
    version: str = "1.0.1",
) -> Path:
    """A package in `folder`; with `photos`, those that the table media names are drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    if deployments is None:
        deployments = [deployment(number) for number in range(1, 6)]
    for name, rows in (
        ("deployments", deployments),
        ("media", media),
        ("observations", observations),
    ):
        write_rows(folder / f"{name}.csv", list(_TABLES[name]), rows)
    text = json.dumps(descriptor(version), indent=2)
    (folder / "datapackage.json").write_text(text, encoding="utf-8")
    if photos:
        for number, row in enumerate(media):
            path = folder / row["filePath"]
            path.parent.mkdir(parents=True, exist_ok=True)
            draw_photo("Panthera tigris", number).save(path)
    return folder
