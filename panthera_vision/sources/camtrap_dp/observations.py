"""Read a Camtrap DP package as observations: photos with label, place, day, licence and group."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PureWindowsPath

from panthera_vision.data.photo_table import is_plain_id
from panthera_vision.errors import UserError
from panthera_vision.io.urls import is_local, is_web_address
from panthera_vision.sources.camtrap_dp.labels import PhotoLabels, parse_time
from panthera_vision.sources.camtrap_dp.package import CamtrapPackage, open_package
from panthera_vision.sources.camtrap_dp.rights import media_rights, package_link
from panthera_vision.sources.cleaning import WRONG_LENGTH, Cleaning

NO_IMAGE = "not an image"
NOT_PUBLIC = "web address that is not public (filePublic is false)"
OUTSIDE = "file path outside the package"
_MIN_GROUPS = 3  # of a species: one for each split
_FALSE = frozenset(("false", "0", "f", "no"))
_VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".wmv", ".mpg", ".mpeg")


def read_package(file: Path, cleaning: Cleaning) -> None:
    """Pass every photo of a package to `cleaning`, and group the photos by place.

    Photos of one camera location share their background, so a network recognizes the place
    (Beery, Van Horn and Perona, "Recognition in Terra Incognita", ECCV 2018): they stay in one
    split where each species is at three locations or more, else by deployment, else by day.

    Args:
        file: datapackage.json or a ZIP archive, in the folder that addresses are relative to.
        cleaning: gets the rows, and what is no photo of an animal as dropped.

    Raises:
        UserError: see `open_package` and `CamtrapPackage.rows`.
    """
    package = open_package(file)
    deployments = _deployments(package)
    labels = PhotoLabels(package.rows("observations"))
    shared = _shared_columns(package)
    inside = package.folder.relative_to(file.parent).as_posix()
    places = {}
    for row in package.rows("media"):
        if row is None:
            cleaning.drop(WRONG_LENGTH, "media")
            continue
        deployment = deployments.get(row["deploymentID"], {})
        label = labels.of(row["mediaID"], row["deploymentID"], row.get("timestamp", ""))
        reason = reason_to_skip(row) or label.reason
        if reason:
            cleaning.drop(reason, row["filePath"])
            continue
        address = row["filePath"]
        if is_local(address) and inside != ".":
            address = f"{inside}/{address}"
        kept = _kept(row, deployment) | shared | {"image_url": address}
        places[kept["id"]] = (deployment.get("locationID", ""), row["deploymentID"])
        before = len(cleaning.kept["id"])
        cleaning.add(kept | {"scientific_name": label.name})
        if len(cleaning.kept["id"]) > before:
            _note(cleaning, row, deployment, is_of_event=label.is_of_event)
    if labels.damaged:
        cleaning.notes["observations are left out: wrong number of fields, or no time"] = (
            labels.damaged
        )
    _group(cleaning, places)


def reason_to_skip(row: Mapping[str, str]) -> str:
    """Return why a row of the table media is no photo that can be read; "" if it is one."""
    address, kind = row["filePath"], row.get("fileMediatype", "").lower()
    is_video = kind.startswith("video/") if kind else address.lower().endswith(_VIDEO_SUFFIXES)
    if is_video:
        return "video"
    if kind and not kind.startswith("image/"):
        return "audio" if kind.startswith("audio/") else NO_IMAGE
    if not is_local(address):
        is_public = row.get("filePublic", "").lower() not in _FALSE
        return "" if is_public or not is_web_address(address) else NOT_PUBLIC
    windows = PureWindowsPath(address)
    if not address or windows.drive or windows.root or ".." in windows.parts or address[0] == "~":
        return OUTSIDE
    return ""


def photo_id(media_id: str) -> str:
    """Return a mediaID that is safe as a file name: itself, or a hash of it."""
    if is_plain_id(media_id) or not media_id:
        return media_id
    return f"media-{sha256(media_id.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _deployments(package: CamtrapPackage) -> dict[str, dict[str, str]]:
    found = {row["deploymentID"]: row for row in package.rows("deployments") if row is not None}
    if not found:
        raise UserError(f"{package.tables['deployments'][0]} has a header but no rows")
    return found


def _shared_columns(package: CamtrapPackage) -> dict[str, str]:
    rights = media_rights(package.descriptor)
    return {
        "license": rights.license,
        "attribution": rights.attribution,
        "url": package_link(package.descriptor),
    }


def _kept(row: Mapping[str, str], deployment: Mapping[str, str]) -> dict[str, str]:
    time = row.get("timestamp", "")
    tags = [f"deployment:{row['deploymentID']}"]
    if deployment.get("locationID"):
        tags.append(f"location:{deployment['locationID']}")
    return {
        "id": photo_id(row["mediaID"]),
        "user_login": deployment.get("setupBy", ""),
        # The day in the camera's own zone, which a timestamp has in front.
        "observed_on": time[:10] if parse_time(time) is not None else time,
        "taken_at": time,
        "place_guess": deployment.get("locationName", "") or deployment.get("locationID", ""),
        "latitude": deployment.get("latitude", ""),
        "longitude": deployment.get("longitude", ""),
        "tag_list": " | ".join(tags),
        "group": f"deployment {row['deploymentID']}",
    }


def _note(
    cleaning: Cleaning, row: Mapping[str, str], deployment: Mapping[str, str], *, is_of_event: bool
) -> None:
    if is_of_event:
        cleaning.notes[
            "labels are of an event, some photos of which may show no animal (no observation of "
            "the photo itself)"
        ] += 1
    if not deployment:
        cleaning.notes["photos are of a deployment that deployments.csv lacks: no place"] += 1
    if deployment.get("timestampIssues", "").lower() in ("true", "1"):
        cleaning.notes["photos have a time with known issues (timestampIssues)"] += 1


def _group(cleaning: Cleaning, places: Mapping[str, tuple[str, str]]) -> None:
    """Set the groups by location, or finer if that leaves a species in less than three."""
    kept = cleaning.kept
    location = [places[id][0] for id in kept["id"]]
    deployment = [places[id][1] for id in kept["id"]]
    by_location = [
        f"location {each}" if each else f"deployment {other}"
        for each, other in zip(location, deployment, strict=True)
    ]
    by_deployment = [f"deployment {each}" for each in deployment]
    by_day = [
        f"{each} on {day}" for each, day in zip(by_deployment, kept["observed_on"], strict=True)
    ]
    where = "camera location" if any(location) else "deployment (the package names no location)"
    candidates = {
        f"photos are grouped by {where}": by_location,
        "photos are grouped by deployment: some species is at less than three locations": (
            by_deployment
        ),
        "photos are grouped by deployment and day: some species is in less than three "
        "deployments, so test photos share backgrounds with training photos": by_day,
    }
    for note, groups in candidates.items():
        if groups is by_day or _can_be_split(kept["species"], groups):
            kept["group"][:] = groups
            if groups:
                cleaning.notes[note] = len(groups)
            return


def _can_be_split(species: Sequence[str], groups: Sequence[str]) -> bool:
    by_species = defaultdict(set)
    for name, group in zip(species, groups, strict=True):
        by_species[name].add(group)
    return all(len(found) >= _MIN_GROUPS for found in by_species.values())
