"""One file for many photos is no training photo of several species; thumbnails are told."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from panthera_vision.data.photo_table import OK, read_photos
from panthera_vision.download.photo_checks import SAME_FILE
from panthera_vision.download.stage import DownloadCounts, DownloadFiles, download_table
from panthera_vision.errors import UserError
from panthera_vision.parameters import DownloadParameters

from ..conftest import SPECIES, draw_photo


def download(folder: Path, table: pd.DataFrame) -> DownloadCounts:
    return download_table(
        table,
        DownloadParameters(),
        folder,
        DownloadFiles(
            images=folder / "data/images",
            log=folder / "data/log.jsonl",
            photos=folder / "data/photos.csv",
            outcomes=folder / "outcomes.csv",
            credits=folder / "CREDITS.csv",
        ),
    )


def write_photos(
    folder: Path, placeholders: int, size: tuple[int, int] = (200, 160)
) -> pd.DataFrame:
    """The table of ten local photos, two a species; the first `placeholders` are one gray file."""
    rows = []
    for number in range(10):
        photo = draw_photo(SPECIES[number % 5], number, size)
        if number < placeholders:
            photo = Image.new("RGB", size, "gray")
        photo.save(folder / f"{number}.jpg")
        rows.append((f"id{number}", SPECIES[number % 5], f"{number}.jpg"))
    return pd.DataFrame(rows, columns=["id", "species", "image_url"])


def test_a_placeholder_under_several_species_is_left_out_and_told(tmp_path: Path) -> None:
    table = write_photos(tmp_path, placeholders=3)
    counts = download(tmp_path, table)
    assert dict(counts) == {"fetched": 7, SAME_FILE: 3}
    assert "3 photos, such as id0 and id1, have the same file under different species" in (
        counts.summary()
    )
    assert list(read_photos(tmp_path / "data/photos.csv")["id"]) == [f"id{n}" for n in range(3, 10)]
    outcomes = pd.read_csv(tmp_path / "outcomes.csv", index_col="outcome")["photos"]
    assert outcomes[SAME_FILE] == 3
    assert "id0" not in (tmp_path / "CREDITS.csv").read_text(encoding="utf-8")
    assert dict(download(tmp_path, table)) == dict(counts)  # a second run is the same


def test_a_species_of_placeholders_alone_is_an_error_that_says_why(tmp_path: Path) -> None:
    table = write_photos(tmp_path, placeholders=6)
    with pytest.raises(UserError, match="every photo of Panthera leo is the same file as"):
        download(tmp_path, table)


def test_one_file_for_several_photos_of_a_species_is_counted(tmp_path: Path) -> None:
    table = write_photos(tmp_path, placeholders=0)
    (tmp_path / "5.jpg").write_bytes((tmp_path / "0.jpg").read_bytes())
    counts = download(tmp_path, table)
    assert dict(counts) == {"fetched": 10}
    assert "2 photos share 1 files with others of their species" in counts.summary()
    photos = pd.read_csv(tmp_path / "data/photos.csv")
    assert set(photos["outcome"]) == {OK}


def test_thumbnails_are_told(tmp_path: Path) -> None:
    counts = download(tmp_path, write_photos(tmp_path, placeholders=0, size=(75, 75)))
    assert "10 photos, such as id0, have at most 150 pixels a side" in counts.summary()
    table = write_photos(tmp_path, placeholders=0, size=(240, 180))
    assert download(tmp_path, table).notes == []
