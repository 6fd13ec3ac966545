"""Write a Camtrap DP package with the classifications of a model added to its observations."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from panthera_vision.data.taxonomy import COMMON_NAMES, common_name
from panthera_vision.io.atomic import atomic_write, write_json
from panthera_vision.io.csv_table import csv_table_writer
from panthera_vision.sources.camtrap_dp.package import DESCRIPTOR, CamtrapPackage

# Of Camtrap DP 1.0, in its order, which validators require.
OBSERVATION_COLUMNS = (
    *("observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd"),
    *("observationLevel", "observationType", "cameraSetupType", "scientificName", "count"),
    *("lifeStage", "sex", "behavior", "individualID", "individualPositionRadius"),
    *("individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight"),
    *("classificationMethod", "classifiedBy", "classificationTimestamp"),
    *("classificationProbability", "observationTags", "observationComments"),
)
_SMALLEST_SIDE = 1e-15  # of a bounding box in the schema


@dataclass(frozen=True)
class Classifier:
    """Hold who classified: `name` for the column classifiedBy, and the `time` in ISO format."""

    name: str
    time: str


@dataclass(frozen=True)
class Classification:
    """Hold what a model says about a photo, or about a box on it.

    Attributes:
        media_id, deployment_id, timestamp: of the photo, as the table media has them.
        kind: an observationType: animal, human, vehicle, blank or unknown.
        species: the scientific name, or "".
        probability: from 0 to 1, or None.
        box: x, y, width and height from 0 to 1, or None for the whole photo.
        number: of the box on its photo.
        comment: for observationComments.
    """

    media_id: str
    deployment_id: str
    timestamp: str
    kind: str
    species: str = ""
    probability: float | None = None
    box: tuple[float, float, float, float] | None = None
    number: int = 0
    comment: str = ""


@dataclass(frozen=True)
class WrittenPackage:
    """Count the observations of a package that was written."""

    added: int
    kept: int
    replaced: int
    left_out: int

    def summary(self) -> str:
        """Return the counts as one phrase."""
        text = f"{self.added} observations added to {self.kept}"
        if self.replaced:
            text += f", {self.replaced} of an earlier run of this model replaced"
        if self.left_out:
            text += f", {self.left_out} rows with a wrong number of fields left out"
        return text


def observation_row(each: Classification, classifier: Classifier) -> dict[str, str]:
    """Return a row of the table observations; what a model can't know, such as count, is empty.

    The observationID is the same for the same photo, box and model.
    """
    key = f"{each.media_id}\n{each.number}\n{classifier.name}"
    row = {
        "observationID": str(uuid5(NAMESPACE_URL, key)),
        "deploymentID": each.deployment_id,
        "mediaID": each.media_id,
        "eventStart": each.timestamp,
        "eventEnd": each.timestamp,
        "observationLevel": "media",
        "observationType": each.kind,
        "scientificName": each.species,
        "classificationMethod": "machine",
        "classifiedBy": classifier.name,
        "classificationTimestamp": classifier.time,
        "classificationProbability": "" if each.probability is None else f"{each.probability:g}",
        "observationComments": each.comment,
    }
    if each.box:
        x, y, width, height = (min(max(value, 0.0), 1.0) for value in each.box)
        width, height = max(width, _SMALLEST_SIDE), max(height, _SMALLEST_SIDE)
        names = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
        row |= {n: f"{v:g}" for n, v in zip(names, (x, y, width, height), strict=True)}
    return row


def write_package(
    package: CamtrapPackage,
    classifications: Iterable[Classification],
    folder: Path,
    classifier: Classifier,
) -> WrittenPackage:
    """Write the package into `folder` with an observation for each classification.

    Deployments and media are copied byte for byte, earlier observations cell by cell. The
    descriptor gets the new species, the level "media" and the time. Photos are not copied.

    Raises:
        UserError: see `CamtrapPackage.rows`.
        OSError: the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("deployments", "media"):
        for file in package.tables[name]:
            with atomic_write(folder / file.relative_to(package.folder)) as partial:
                shutil.copyfile(file, partial)
    species: set[str] = set()
    ours = _Ours(classifications, classifier, species)
    columns = _columns(package)
    kept = replaced = left_out = 0
    with csv_table_writer(folder / "observations.csv", columns) as writer:
        for row in package.rows("observations", verbatim=True):
            if row is None:
                left_out += 1
            elif row.get("classifiedBy", "").strip() == classifier.name:
                replaced += 1
            else:
                writer.writerow(row)
                kept += 1
        writer.writerows(ours)
    write_json(folder / DESCRIPTOR, updated_descriptor(package.descriptor, species, classifier))
    return WrittenPackage(ours.count, kept, replaced, left_out)


def _columns(package: CamtrapPackage) -> list[str]:
    """Return the columns of the new table: in the order of the schema that the package names."""
    header = package.header("observations")
    if isinstance(_observations(package.descriptor).get("schema"), dict):  # of its own
        return list(dict.fromkeys((*header, *OBSERVATION_COLUMNS)))
    return list(dict.fromkeys((*OBSERVATION_COLUMNS, *header)))


def _observations(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource observations of a descriptor."""
    resources = (each for each in descriptor["resources"] if isinstance(each, dict))
    return next(each for each in resources if each.get("name") == "observations")


class _Ours:
    """Yield the rows of the classifications, count them, and collect their species."""

    def __init__(
        self, classifications: Iterable[Classification], classifier: Classifier, species: set[str]
    ) -> None:
        self.count = 0
        self._classifications, self._classifier, self._species = (
            classifications,
            classifier,
            species,
        )

    def __iter__(self) -> Iterator[dict[str, str]]:
        for each in self._classifications:
            self.count += 1
            if each.species:
                self._species.add(each.species)
            yield observation_row(each, self._classifier)


def updated_descriptor(
    descriptor: Mapping[str, Any], species: Iterable[str], classifier: Classifier
) -> dict[str, Any]:
    """Return a copy of a descriptor for a package with the observations of a model."""
    updated: dict[str, Any] = json.loads(json.dumps(descriptor))
    updated["created"] = classifier.time
    resource = _observations(updated)
    resource.update(path="observations.csv", format="csv", mediatype="text/csv", encoding="utf-8")
    resource.pop("dialect", None)
    if isinstance(schema := resource.get("schema"), dict):
        fields = schema.get("fields")
        fields = fields if isinstance(fields, list) else []
        known = {str(field.get("name")) for field in fields if isinstance(field, dict)}
        missing = (name for name in OBSERVATION_COLUMNS if name not in known)
        schema["fields"] = [*fields, *({"name": name, "type": "string"} for name in missing)]
    project = updated.get("project")
    if isinstance(project, dict):
        levels = project.get("observationLevel")
        levels = levels if isinstance(levels, list) else []
        project["observationLevel"] = [*levels, *(["media"] if "media" not in levels else [])]
    taxa = updated.get("taxonomic")
    taxa = taxa if isinstance(taxa, list) else []
    named = {str(taxon.get("scientificName")) for taxon in taxa if isinstance(taxon, dict)}
    updated["taxonomic"] = [*taxa, *(_taxon(name) for name in sorted(set(species) - named))]
    sources = updated.get("sources")
    sources = sources if isinstance(sources, list) else []
    ours = {"title": classifier.name}
    updated["sources"] = [*sources, *([ours] if ours not in sources else [])]
    return updated


def _taxon(species: str) -> dict[str, Any]:
    taxon: dict[str, Any] = {"scientificName": species, "taxonRank": "species"}
    if species in COMMON_NAMES:
        taxon["vernacularNames"] = {"eng": common_name(species, "en").lower()}
    return taxon
