"""Download the photos of a table into one folder; reuse every photo that is on disk already."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from panthera_vision.data.apply_corrections import apply_by_content
from panthera_vision.data.corrections import Correction
from panthera_vision.data.credits import write_credits
from panthera_vision.data.photo_table import (
    OK,
    PHOTO_COLUMNS,
    read_photos,
    rebase_files,
    write_table,
)
from panthera_vision.data.taxonomy import folder_name
from panthera_vision.download.camera_data import add_camera_data
from panthera_vision.download.download_log import DownloadLog
from panthera_vision.download.downloader import Outcome, PhotoRequest, download_photos
from panthera_vision.download.http import FetchSettings
from panthera_vision.download.photo_checks import SAME_FILE, conflicting_photos, photo_notes
from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import remove_partial_files, sha256_of_file, write_text
from panthera_vision.io.progress import progress_bar
from panthera_vision.io.urls import is_local
from panthera_vision.parameters import DownloadParameters


@dataclass(frozen=True)
class DownloadFiles:
    """Name what the stage writes.

    Attributes:
        images: folder that gets the photos, as <Species>/<id>.jpg.
        log: JSON lines of the photos downloaded so far, from which an interrupted run resumes.
        photos: `photos.csv`; an earlier one tells which photos are on disk.
        outcomes: the number of photos by outcome; written also when the stage fails.
        credits: `CREDITS.csv`.
    """

    images: Path
    log: Path
    photos: Path
    outcomes: Path
    credits: Path


@dataclass(frozen=True)
class Reviewed:
    """Hold what people decided in the review: corrections, and the folder of labeled photos."""

    corrections: Sequence[Correction]
    labeled_photos: Path


@dataclass(frozen=True)
class LocalPhoto:
    """Hold the path of a photo on disk, its SHA-256 and the address that it came from."""

    path: Path
    sha256: str
    image_url: str

    def is_intact(self, image_url: str) -> bool:
        """Return whether it is the photo of this address, with its content unchanged."""
        return (
            self.image_url == image_url
            and self.path.is_file()
            and sha256_of_file(self.path) == self.sha256
        )


class DownloadCounts(Counter[str]):
    """Count photos by outcome: "already here", "fetched", or the reason of a failure.

    `notes` are phrases about all photos together.
    """

    GOOD = ("already here", "fetched")
    notes: Sequence[str] = ()

    def summary(self) -> str:
        """Return one phrase with every outcome, the good ones first, and the notes."""
        order = sorted(self, key=lambda outcome: (outcome not in self.GOOD, outcome))
        counts = ", ".join(f"{self[outcome]} {outcome}" for outcome in order) or "no photos"
        return "; ".join([counts, *self.notes])


def fetch_settings(
    parameters: DownloadParameters, table_folder: Path, labeled_photos: Path | None = None
) -> FetchSettings:
    """Convert the settings of params.yaml; local addresses are relative to `table_folder`."""
    folders = (parameters.photos_root(table_folder), labeled_photos)
    return FetchSettings(
        limits=RateLimits(
            requests_per_second=parameters.photos_per_second,
            concurrent=parameters.concurrent_per_host,
            bytes_per_hour=parameters.gigabytes_per_hour * 1e9,
            bytes_per_day=parameters.gigabytes_per_day * 1e9,
        ),
        attempts=parameters.attempts,
        timeout_seconds=parameters.timeout_seconds,
        maximum_bytes=round(parameters.megabytes_per_photo * 1e6),
        user_agent=parameters.user_agent,
        table_folder=table_folder,
        local_photos=tuple(filter(None, folders)),
        allow_private_addresses=parameters.allow_private_addresses,
    )


def known_photos(table: Path) -> dict[str, LocalPhoto]:
    """Return the photos of a `photos.csv` by id; none if there is no such table."""
    try:
        rows = read_photos(table)
    except UserError:
        return {}
    return {
        id: LocalPhoto(table.parent / file, sha256, image_url)
        for id, file, sha256, image_url in zip(
            rows["id"], rows["file"], rows["sha256"], rows["image_url"], strict=True
        )
    }


def download_table(
    table: pd.DataFrame,
    parameters: DownloadParameters,
    table_folder: Path,
    files: DownloadFiles,
    reusable: Mapping[str, LocalPhoto] = MappingProxyType({}),
    reviewed: Reviewed | None = None,
) -> DownloadCounts:
    """Download the photos of `table` and write `photos.csv`, the outcomes and the credits.

    Args:
        table: columns id, species, image_url and any others; ids are unique.
        parameters: rate limits, retries, and the share of photos that must succeed.
        table_folder: folder that local addresses are relative to.
        files: what to write.
        reusable: photos of other pipelines by id, used where they are.
        reviewed: what people decided; corrections that name a photo by its content take effect.

    Raises:
        UserError: too few photos were downloaded.
        OSError: a photo cannot be written.
    """
    photos, counts = collect_photos(
        table,
        files.images,
        files.log,
        fetch_settings(parameters, table_folder, reviewed.labeled_photos if reviewed else None),
        earlier=known_photos(files.photos),
        reusable=reusable,
    )
    write_table(pd.DataFrame(counts.most_common(), columns=["outcome", "photos"]), files.outcomes)
    require_share(photos, parameters.minimum_share, files.outcomes)
    _note_reused_photos(files.images)
    counts.notes = photo_notes(photos, [Path(file) for file in photos["file"]])
    photos, corrected = apply_by_content(photos, reviewed.corrections if reviewed else ())
    counts.notes = [*counts.notes, *(f"{count} {what}" for what, count in corrected.items())]
    write_credits(photos, files.credits)
    photos = add_camera_data(photos, parameters.coordinates)
    write_table(rebase_files(photos, Path(), files.photos.parent), files.photos)
    return counts


def _note_reused_photos(images: Path) -> None:
    """Say in a folder that has no photos where they are: DVC warns of an empty folder."""
    note = images / "README.txt"
    if not any(path != note for path in images.iterdir()):
        write_text(note, "The photos are used where they lie, see the column file of photos.csv.\n")
    else:
        note.unlink(missing_ok=True)


def collect_photos(
    table: pd.DataFrame,
    images: Path,
    log_path: Path,
    settings: FetchSettings,
    *,
    earlier: Mapping[str, LocalPhoto] = MappingProxyType({}),
    reusable: Mapping[str, LocalPhoto] = MappingProxyType({}),
) -> tuple[pd.DataFrame, DownloadCounts]:
    """Download every photo of `table` that is not on disk, intact and of the same address.

    A photo with a local address is read again each time, because its file may have changed. Photos
    in `images` that the table does not name stay: they may belong to other settings.

    Args:
        table: columns id, species, image_url; ids are unique.
        images: gets the photos, as <Species>/<id>.jpg.
        log_path: the download log.
        settings: how to download.
        earlier: photos of the last complete run by id.
        reusable: photos of other pipelines by id, used where they are.

    Returns:
        `table` with the columns file, relative to the working directory, sha256 and outcome; and
        the number of photos by outcome.
    """
    images.mkdir(parents=True, exist_ok=True)
    remove_partial_files(images)
    log = DownloadLog(log_path)
    # Later records of the same file replace earlier ones.
    logged = {r.file: LocalPhoto(images / r.file, r.sha256, r.image_url) for r in log.records()}
    results: dict[str, tuple[str, str, str]] = {}
    requests: dict[PhotoRequest, str] = {}
    for id, species, image_url in zip(
        table["id"], table["species"], table["image_url"], strict=True
    ):
        file = f"{folder_name(species)}/{id}.jpg"
        on_disk = [reusable.get(id)]
        if not is_local(image_url):
            on_disk += [earlier.get(id), logged.get(file)]
        if photo := next((p for p in on_disk if p and p.is_intact(image_url)), None):
            results[id] = (photo.path.as_posix(), photo.sha256, OK)
        else:
            requests[PhotoRequest(image_url, file)] = id
    counts = DownloadCounts({"already here": len(results)} if results else {})
    for outcome in _download(requests, images, settings, log):
        if outcome.reason:
            result = ("", "", outcome.reason)
        else:
            result = ((images / outcome.request.file).as_posix(), outcome.sha256, OK)
        results[requests[outcome.request]] = result
        counts[outcome.reason or "fetched"] += 1
    columns = pd.DataFrame(
        [results[id] for id in table["id"]], columns=list(PHOTO_COLUMNS), index=table.index
    )
    photos = pd.concat([table, columns], axis=1)
    return _leave_out_conflicting(photos, counts, set(requests.values())), counts


def _leave_out_conflicting(
    photos: pd.DataFrame, counts: DownloadCounts, requested: set[str]
) -> pd.DataFrame:
    """Return `photos` without the files of `conflicting_photos`, and correct the counts."""
    conflicting = conflicting_photos(photos)
    for id in photos["id"][conflicting]:
        counts[SAME_FILE] += 1
        counts["fetched" if id in requested else "already here"] -= 1
    for outcome in [each for each, count in counts.items() if not count]:
        del counts[outcome]
    photos.loc[conflicting, list(PHOTO_COLUMNS)] = ["", "", SAME_FILE]
    return photos


def _download(
    requests: Mapping[PhotoRequest, str], images: Path, settings: FetchSettings, log: DownloadLog
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with log, progress_bar("photos", "photo", len(requests)) as progress:

        def on_outcome(outcome: Outcome) -> None:
            outcomes.append(outcome)
            progress.update()

        download_photos(requests, images, settings, log, on_outcome)
    return outcomes


def require_share(table: pd.DataFrame, minimum_share: float, outcomes_file: Path) -> None:
    """Check that enough photos were downloaded, those of `conflicting_photos` included.

    Raises:
        UserError: fewer than `minimum_share` of all, or none that can be used of a species.
    """
    succeeded = table["outcome"] == OK
    downloaded = succeeded | (table["outcome"] == SAME_FILE)
    if downloaded.mean() < minimum_share:
        missing = table["image_url"][table["outcome"] == "file missing"]
        example = "" if missing.empty else f"; one that is not there: {missing.iloc[0]}"
        raise UserError(
            f"only {downloaded.sum()} of {len(table)} photos were downloaded, fewer than "
            f"download.minimum_share = {minimum_share:.0%}; {outcomes_file} has the reasons"
            f"{example}. Run the stage again to retry the missing ones"
        )
    for species, any_succeeded in succeeded.groupby(table["species"]).any().items():
        if any_succeeded:
            continue
        if (table["outcome"][table["species"] == species] == SAME_FILE).any():
            raise UserError(
                f"every photo of {species} is the {SAME_FILE}: the server sends a placeholder, or "
                f"labels are wrong; see {outcomes_file}"
            )
        raise UserError(f"no photo of {species} was downloaded; see {outcomes_file}")
