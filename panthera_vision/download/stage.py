"""A table's photos brought together in one folder: what is there already stays there."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from panthera_vision.data.credits import write_credits
from panthera_vision.data.photo_table import (
    OK,
    PHOTO_COLUMNS,
    read_dataset,
    read_photos,
    write_table,
)
from panthera_vision.data.taxonomy import folder_name
from panthera_vision.download.download_log import DownloadLog
from panthera_vision.download.downloader import Outcome, PhotoRequest, download_photos
from panthera_vision.download.http import FetchSettings
from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import remove_partial_files, sha256_of_file
from panthera_vision.io.progress import progress_bar
from panthera_vision.io.urls import is_local
from panthera_vision.parameters import DownloadParameters


@dataclass(frozen=True)
class LocalPhoto:
    """A photo on disk: its file relative to the pipeline's folder, its content, its origin."""

    file: str
    sha256: str
    image_url: str


class DownloadCounts(Counter[str]):
    """Photos by what happened to them: "already here", "fetched", or why there is none."""

    GOOD = ("already here", "fetched")

    def summary(self) -> str:
        """One phrase with every outcome, the good ones first."""
        order = sorted(self, key=lambda outcome: (outcome not in self.GOOD, outcome))
        return ", ".join(f"{self[outcome]} {outcome}" for outcome in order) or "no photos"


def fetch_settings(parameters: DownloadParameters, table_folder: Path) -> FetchSettings:
    """The settings of params.yaml as the fetcher takes them."""
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
        local_photos=parameters.local_photos or table_folder,
        allow_private_addresses=parameters.allow_private_addresses,
    )


def known_photos(photos: Path) -> dict[str, LocalPhoto]:
    """Photos of an earlier `photos.csv` by id; none where there is no such table.

    Its files are relative to the folder above the one that it lies in, the pipeline's.
    """
    try:
        rows = read_photos(photos)
    except UserError:
        return {}
    pipeline = photos.parent.parent
    return {
        id: LocalPhoto((pipeline / file).as_posix(), sha256, image_url)
        for id, file, sha256, image_url in zip(
            rows["id"], rows["file"], rows["sha256"], rows["image_url"], strict=True
        )
    }


def download_table(
    parameters: DownloadParameters,
    *,
    dataset: Path,
    observations: Path,
    images: Path,
    journal: Path,
    photos: Path,
    outcomes: Path,
    credits: Path,
    elsewhere: Path | None = None,
) -> DownloadCounts:
    """The whole of a `download` stage: from `dataset.csv` to `photos.csv`.

    Args:
        parameters: rate limits, attempts and the share of photos that must be had.
        dataset: the table of `prepare`.
        observations: the folder that local addresses are relative to.
        images: gets the photos.
        journal: notes them as they come.
        photos: the table to write; what an earlier run left there is used.
        outcomes: the report to write, also where the stage fails.
        credits: the list to write of whose photos these are.
        elsewhere: another pipeline's `photos.csv`, whose photos are used where they are.

    Raises:
        UserError: too few photos could be had.
        OSError: a photo can't be written.
    """
    table, counts = collect_photos(
        read_dataset(dataset),
        images,
        journal,
        fetch_settings(parameters, observations),
        earlier=known_photos(photos),
        elsewhere=known_photos(elsewhere) if elsewhere else {},
    )
    write_table(pd.DataFrame(counts.most_common(), columns=["outcome", "photos"]), outcomes)
    require_share(table, parameters.minimum_share, outcomes)
    write_credits(table, credits)
    write_table(table, photos)
    return counts


def collect_photos(
    table: pd.DataFrame,
    folder: Path,
    journal_path: Path,
    settings: FetchSettings,
    *,
    earlier: Mapping[str, LocalPhoto] = MappingProxyType({}),
    elsewhere: Mapping[str, LocalPhoto] = MappingProxyType({}),
) -> tuple[pd.DataFrame, DownloadCounts]:
    """See to it that every photo of `table` that can be had is on disk.

    A photo is kept where an earlier run has it from the same address with its content unharmed;
    every other is fetched. A photo whose address is a file is read again each time: the file may
    have changed. Photos in `folder` that the table does not name are left alone: they may belong
    to another profile of the parameters.

    Args:
        table: columns id, species, image_url; ids are unique.
        folder: gets the photos, as <Species>/<id>.jpg.
        journal_path: where fetched photos are noted as they come.
        settings: how to fetch.
        earlier: this folder's photos by id, from the last complete run.
        elsewhere: photos that another pipeline keeps, by id; used where they are.

    Returns:
        `table` with the columns file, sha256 and outcome, and a count of what happened.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_partial_files(folder)
    journal = DownloadLog(journal_path)
    # Later lines of the journal replace earlier ones.
    noted = {(entry.file, entry.image_url): entry.sha256 for entry in journal.records()}
    results: dict[str, tuple[str, str, str]] = {}
    counts = DownloadCounts()
    wanted: dict[PhotoRequest, str] = {}
    for id, species, image_url in zip(
        table["id"], table["species"], table["image_url"], strict=True
    ):
        file = f"{folder_name(species)}/{id}.jpg"
        here = f"{folder.as_posix()}/{file}"
        candidates = [elsewhere.get(id)]
        if not is_local(image_url):
            candidates.append(earlier.get(id))
            if (file, image_url) in noted:
                candidates.append(LocalPhoto(here, noted[file, image_url], image_url))
        kept = next((c for c in candidates if c and _is_intact(c, image_url)), None)
        if kept:
            results[id] = (kept.file, kept.sha256, OK)
            counts["already here"] += 1
        else:
            wanted[PhotoRequest(image_url, file)] = id

    with (
        journal,
        progress_bar("photos", "photo", len(wanted)) as progress,
    ):

        def note(outcome: Outcome) -> None:
            id = wanted[outcome.request]
            if outcome.reason:
                results[id] = ("", "", outcome.reason)
            else:
                here = f"{folder.as_posix()}/{outcome.request.file}"
                results[id] = (here, outcome.sha256, OK)
            counts[outcome.reason or "fetched"] += 1
            progress.update()

        download_photos(wanted, folder, settings, journal, note)
    columns = pd.DataFrame(
        [results[id] for id in table["id"]], columns=list(PHOTO_COLUMNS), index=table.index
    )
    return pd.concat([table, columns], axis=1), counts


def require_share(table: pd.DataFrame, minimum_share: float, outcomes_file: Path) -> None:
    """Stop where too few photos could be had.

    Raises:
        UserError: fewer than `minimum_share` of all, or none of a species.
    """
    there = table["outcome"] == OK
    if there.mean() < minimum_share:
        raise UserError(
            f"only {there.sum()} of {len(table)} photos could be had, fewer than "
            f"download.minimum_share = {minimum_share:.0%}; {outcomes_file} says why. "
            "Run it again to try the missing ones once more"
        )
    for species, any_there in there.groupby(table["species"]).any().items():
        if not any_there:
            raise UserError(f"no photo of {species} could be had; {outcomes_file} says why")


def _is_intact(photo: LocalPhoto, image_url: str) -> bool:
    path = Path(photo.file)
    return photo.image_url == image_url and path.is_file() and sha256_of_file(path) == photo.sha256
