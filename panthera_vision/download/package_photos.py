"""Download the photos of a Camtrap DP package that are at web addresses."""

from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import OK
from panthera_vision.download.stage import DownloadCounts, collect_photos, fetch_settings
from panthera_vision.io.urls import is_local
from panthera_vision.parameters import DownloadParameters
from panthera_vision.sources.camtrap_dp.observations import photo_id, reason_to_skip
from panthera_vision.sources.camtrap_dp.package import CamtrapPackage

_FOLDER = "downloaded"  # in the place of a species


def fetch_package_photos(
    package: CamtrapPackage, folder: Path, log: Path, parameters: DownloadParameters
) -> tuple[dict[str, Path], DownloadCounts]:
    """Download every public photo of a package.

    Args:
        package: with the table media.
        folder: gets `downloaded/<mediaID>.jpg`.
        log: from which an interrupted download resumes.
        parameters: rate limits, sizes, and which addresses are refused (SSRF).

    Returns:
        The address of each photo that was downloaded → its file; numbers of photos by outcome.
    """
    media = [row for row in package.rows("media") if row is not None]
    wanted = {
        row["filePath"]: photo_id(row["mediaID"])
        for row in media
        if not is_local(row["filePath"]) and not reason_to_skip(row)
    }
    if not wanted:
        return {}, DownloadCounts()
    table = pd.DataFrame({"image_url": list(wanted), "id": list(wanted.values())}, dtype=str)
    table = table.assign(species=_FOLDER).drop_duplicates("id")
    photos, counts = collect_photos(table, folder, log, fetch_settings(parameters, package.folder))
    found = photos[photos["outcome"] == OK]
    files = {
        address: Path(file).absolute()
        for address, file in zip(found["image_url"], found["file"], strict=True)
    }
    return files, counts
