"""Photos of a Camtrap DP package at web addresses are downloaded, then found like its own files."""

from pathlib import Path

import pytest

from panthera_vision.batch.camtrap_package import find_package_photos
from panthera_vision.cli import predict
from panthera_vision.cli.runner import build_parser
from panthera_vision.download.package_photos import fetch_package_photos
from panthera_vision.errors import UserError
from panthera_vision.parameters import DownloadParameters
from panthera_vision.sources.camtrap_dp.package import open_package

from ..sources.camtrap_packages import medium, write_package
from .test_stage import Site, site

__all__ = ["site"]  # the fixture


def test_public_photos_are_downloaded_once_and_found(site: Site, tmp_path: Path) -> None:
    media = [
        medium("m1", filePath=f"{site.address}/ok/1.jpg", filePublic="true"),
        medium("m/2", filePath=f"{site.address}/ok/2.jpg", filePublic="true"),
        medium("m3", filePath=f"{site.address}/404/3.jpg", filePublic="true"),
        medium("m4", filePath=f"{site.address}/ok/4.jpg"),
        medium("m5", filePath=f"{site.address}/ok/5.mp4", fileMediatype="video/mp4"),
    ]
    package = open_package(write_package(tmp_path / "p", media, []))
    settings = {"allow_private_addresses": True, "photos_per_second": 1000, "attempts": 1}
    parameters = DownloadParameters.model_validate(settings)
    for outcome in ("fetched", "already here"):
        files, counts = fetch_package_photos(package, tmp_path, tmp_path / "log.jsonl", parameters)
        assert counts[outcome] == 2
        assert [path.exists() for path in files.values()] == [True, True]
    assert sum(site.requested[f"/ok/{n}.jpg"] for n in (1, 2, 4)) == 2
    found = find_package_photos(package, fetched=files)
    assert [medium[0] for medium in found.media.values()] == ["m1", "m/2"]
    assert found.skipped == {
        "at a web address": 1,
        "video": 1,
        "web address that is not public (filePublic is false)": 1,
    }


def test_addresses_of_the_own_network_are_refused(site: Site, tmp_path: Path) -> None:
    media = [medium("m1", filePath=f"{site.address}/ok/1.jpg", filePublic="true")]
    package = open_package(write_package(tmp_path / "p", media, []))
    parameters = DownloadParameters.model_validate({})
    files, counts = fetch_package_photos(package, tmp_path, tmp_path / "log.jsonl", parameters)
    assert not files
    assert counts.summary().startswith("1 private address")
    assert not site.requested


@pytest.mark.parametrize("words", [["photos", "--out", "x"], ["p", "--out", "x.csv"]])
def test_only_a_package_written_into_a_folder_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    write_package(tmp_path / "p", [medium("m1")], [])
    arguments = build_parser(predict).parse_args([*words, "--download"])
    with pytest.raises(UserError, match="--download is for a Camtrap DP package"):
        predict.main(arguments)
