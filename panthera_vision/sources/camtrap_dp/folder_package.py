"""Make a Camtrap DP package of a folder of photos that has a subfolder for each deployment.

What a package needs and photos do not have, the user gives: the coordinates of the deployments and
a few words about the project. Nothing is made up.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from panthera_vision.errors import UserError, closest_name, list_names
from panthera_vision.images.exif import read_camera_data
from panthera_vision.images.folders import FolderListing, list_photos
from panthera_vision.images.kinds import SUFFIXES_BY_FORMAT
from panthera_vision.io.atomic import write_json
from panthera_vision.io.csv_table import csv_table_writer
from panthera_vision.io.progress import progress_bar
from panthera_vision.sources.camtrap_dp.deployments import (
    DEPLOYMENT_COLUMNS,
    UTC_OFFSET,
    DeploymentTimes,
    read_deployments,
)
from panthera_vision.sources.camtrap_dp.package import DESCRIPTOR, TABLES
from panthera_vision.sources.camtrap_dp.writing import OBSERVATION_COLUMNS

VERSION = "1.0.2"
SAMPLING_DESIGNS = (
    *("simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted"),
    "opportunistic",
)
CAPTURE_METHODS = ("activityDetection", "timeLapse")
MEDIA_COLUMNS = (
    *("mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic"),
    *("fileName", "fileMediatype", "exifData", "favorite", "mediaComments"),
)
_SITE = f"https://raw.githubusercontent.com/tdwg/camtrap-dp/{VERSION}"
_MEDIATYPES = {
    suffix: f"image/{kind.lower()}" for kind, all in SUFFIXES_BY_FORMAT.items() for suffix in all
}
_NO_TIME = "without an EXIF time"
_NO_ZONE = f"without a time zone (add a column {UTC_OFFSET}, such as +05:45)"
_NO_FOLDER = "not in the folder of a deployment"
_BAD_NAME = "with '..', or '.' or '~' in front, in the path, which Camtrap DP forbids"


@dataclass(frozen=True)
class ProjectInfo:
    """Hold what a package says of its project: see the profile of Camtrap DP."""

    title: str
    contact: str
    sampling_design: str
    capture_method: str = CAPTURE_METHODS[0]


@dataclass
class FolderPackage:
    """Count the photos of a package that was made, and those left out, by reason."""

    photos: int = 0
    deployments: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    listing: FolderListing = field(default_factory=FolderListing)

    def summary(self) -> str:
        """Return the counts as one phrase."""
        text = f"{self.photos} photos of {self.deployments} deployments"
        if self.left_out:
            listed = ", ".join(f"{count} {reason}" for reason, count in self.left_out.most_common())
            text += f", {self.left_out.total()} left out ({listed})"
        return text + self.listing.note()


def make_package(
    folder: Path, deployments: Path, project: ProjectInfo, *, force: bool = False
) -> FolderPackage:
    """Write datapackage.json and the three tables into `folder`, whose photos stay as they are.

    Args:
        folder: has a subfolder with photos for each deployment, named as its deploymentID.
        deployments: CSV with columns deploymentID, latitude, longitude and perhaps others of
            Camtrap DP; `utc_offset`, such as +05:45, for cameras that write none. Where start and
            end are missing, they are those of the photos.
        project: what the package says of the project.
        force: replace the tables of an earlier run.

    Raises:
        UserError: a subfolder has no deployment, a coordinate is wrong, no photo has a time, or
            files would be overwritten.
    """
    _check_files(folder, deployments, force=force)
    table = read_deployments(deployments)
    made = FolderPackage()
    list_photos(folder, made.listing)
    times = DeploymentTimes()
    with csv_table_writer(folder / "media.csv", MEDIA_COLUMNS) as writer:
        for row in _media(folder, table, made, project.capture_method):
            times.add(row["deploymentID"], row["timestamp"])
            writer.writerow(row)
            made.photos += 1
        if not made.photos:
            raise UserError(f"{folder}: no photo can be used; {made.summary()}")
    rows = list(times.deployment_rows(table))
    made.deployments = len(rows)
    with csv_table_writer(folder / "deployments.csv", DEPLOYMENT_COLUMNS) as writer:
        writer.writerows(rows)
    with csv_table_writer(folder / "observations.csv", OBSERVATION_COLUMNS):
        pass  # predict adds them
    write_json(folder / DESCRIPTOR, _descriptor(project, rows))
    return made


def _check_files(folder: Path, deployments: Path, *, force: bool) -> None:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder")
    written = [folder / f"{name}.csv" for name in TABLES]
    if any(path.exists() and path.samefile(deployments) for path in written):
        raise UserError(f"{deployments} would be overwritten; rename it, such as cameras.csv")
    there = [path.name for path in (folder / DESCRIPTOR, *written) if path.exists()]
    if there and not force:
        raise UserError(f"{folder} has {list_names(there)}; --force replaces them")


def _media(
    folder: Path, table: Mapping[str, Mapping[str, str]], made: FolderPackage, method: str
) -> Iterator[dict[str, str]]:
    photos = made.listing.photos
    unknown = sorted(
        {photo.relative_to(folder).parts[0] for photo in photos if photo.parent != folder}
        - set(table)
    )
    if unknown:
        close = closest_name(unknown[0], table)
        meant = f" (is {unknown[0]!r} {close!r}?)" if close else ""
        raise UserError(f"no row in the table of deployments for {list_names(unknown)}{meant}")
    for photo in progress_bar("read", "photo", len(photos), photos):
        path = photo.relative_to(folder)
        if len(path.parts) == 1:
            made.left_out[_NO_FOLDER] += 1
            continue
        file, deployment = path.as_posix(), path.parts[0]
        camera = read_camera_data(photo)
        offset = camera.offset or table[deployment].get(UTC_OFFSET, "")
        reason = (
            _BAD_NAME
            if file[0] in ".~" or ".." in file
            else _NO_TIME
            if camera.taken_at is None
            else _NO_ZONE
            if not offset
            else ""
        )
        if reason or camera.taken_at is None:
            made.left_out[reason] += 1
            continue
        yield {
            "mediaID": str(uuid5(NAMESPACE_URL, file)),
            "deploymentID": deployment,
            "captureMethod": method,
            "timestamp": f"{camera.taken_at:%Y-%m-%dT%H:%M:%S}{offset}",
            "filePath": file,
            "filePublic": "false",
            "fileName": photo.name,
            "fileMediatype": _MEDIATYPES[photo.suffix.lower()],
        }


def _descriptor(project: ProjectInfo, deployments: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": f"{_SITE}/{name}-table-schema.json",
            }
            for name in TABLES
        ],
        "profile": f"{_SITE}/camtrap-dp-profile.json",
        "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "title": project.title,
        "contributors": [{"title": project.contact, "role": "contact"}],
        "project": {
            "title": project.title,
            "samplingDesign": project.sampling_design,
            "captureMethod": [project.capture_method],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "spatial": _spatial(deployments),
        "temporal": {
            "start": min(row["deploymentStart"][:10] for row in deployments),
            "end": max(row["deploymentEnd"][:10] for row in deployments),
        },
        "taxonomic": [],
    }


def _spatial(deployments: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the places of the deployments as GeoJSON: the box around them, or points in a row."""
    points = sorted({(float(row["longitude"]), float(row["latitude"])) for row in deployments})
    longitudes, latitudes = zip(*points, strict=True)
    west, east = min(longitudes), max(longitudes)
    south, north = min(latitudes), max(latitudes)
    if west == east or south == north:
        return {"type": "MultiPoint", "coordinates": [list(point) for point in points]}
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]}
