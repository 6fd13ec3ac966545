"""Own photos without observers are grouped, so that no burst lies in several splits."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from panthera_vision.data.encounters import Encounters, group_encounters
from panthera_vision.data.splits import assign_splits, observation_groups
from panthera_vision.images.exif import taken_at
from panthera_vision.sources.own_photos import group_own_photos

COLUMNS = ("observer", "observed_on", "place", "latitude", "longitude", "group")
NOON = datetime(2020, 3, 21, 12)


def table_of(*rows: dict[str, str]) -> pd.DataFrame:
    """Rows with an id, a species and a file in one folder, unless they say otherwise."""
    usual = dict.fromkeys(COLUMNS, "") | {"species": "Panthera leo"}
    return pd.DataFrame(
        [usual | {"id": f"{n:03}", "image_url": f"all/{n}.jpg"} | row for n, row in enumerate(rows)]
    )


def partition(table: pd.DataFrame, encounters: Encounters) -> list[int]:
    """The number of the first row of each row's group, as the split sees it."""
    groups = list(observation_groups(encounters.add_to(table), "observer_day"))
    return [groups.index(group) for group in groups]


def test_photos_taken_within_the_gap_in_one_folder_stay_together() -> None:
    minutes = [0, 20, 40, 90, 500]
    table = table_of(*({} for _ in minutes), {"image_url": "other/5.jpg"})
    times = [NOON + timedelta(minutes=each) for each in (*minutes, 10)]
    found = group_encounters(table, times, 30)
    assert partition(table, found) == [0, 0, 0, 3, 4, 5]
    assert found.summary() == "grouped 6 photos by EXIF time and folder"


def test_photos_of_one_day_and_place_stay_together() -> None:
    rows = [
        *({"observed_on": f"{day}.03.2020", "place": "Kruger"} for day in (20, 20, 21, 22)),
        {"observed_on": "20.03.2020", "place": "Serengeti"},
        {"observed_on": "20.03.2020", "latitude": "-24.751", "longitude": "31.851"},
        {"observed_on": "20.03.2020", "latitude": "-24.752", "longitude": "31.852"},
        {"observed_on": "20.03.2020", "image_url": "a/1.jpg"},
        {"observed_on": "20.03.2020", "image_url": "a/2.jpg"},
        {"observed_on": "20.03.2020", "image_url": "b/1.jpg"},
    ]
    table = table_of(*rows)
    found = group_encounters(table, [None] * len(rows), 30)
    assert partition(table, found) == [0, 0, 2, 3, 4, 5, 5, 7, 7, 9]


def test_a_day_joins_the_bursts_of_its_place_unless_too_few_groups_are_left() -> None:
    def grouped(days: list[int]) -> list[int]:
        rows = [{"observed_on": f"2020-03-{day:02}", "place": "Kruger"} for day in days]
        times = [NOON + timedelta(hours=2 * n) for n in range(len(days))]
        table = table_of(*rows)
        return partition(table, group_encounters(table, times, 30))

    assert grouped([1, 1, 2, 3]) == [0, 0, 2, 3]
    assert grouped([1, 1, 1, 1]) == [0, 1, 2, 3]


def test_photos_without_time_and_day_are_grouped_by_folder_where_each_species_has_three() -> None:
    rows = [{"image_url": f"{folder}/{n}.jpg"} for folder in "abc" for n in range(2)]
    table = table_of(*rows)
    found = group_encounters(table, [None] * 6, 30)
    assert partition(table, found) == [0, 0, 2, 2, 4, 4]
    assert found.summary() == "grouped 6 photos by folder"


def test_photos_that_nothing_groups_are_told(tmp_path: Path) -> None:
    table = table_of({}, {}, {"observer": "ann", "observed_on": "2020-01-01"})
    found = group_encounters(table, [None] * 3, 30)
    assert partition(table, found) == [0, 1, 2]
    assert "WARNING: 2 photos are in no group" in found.summary()
    assert "group" in found.summary().rpartition("give them")[2]


def test_a_column_group_decides_also_against_observers() -> None:
    table = table_of(
        {"group": "pride 1", "observer": "ann", "observed_on": "2020-01-01"},
        {"group": "pride 1", "observer": "bob", "observed_on": "2020-01-02"},
        {"observer": "ann", "observed_on": "2020-01-01"},
    )
    found = group_encounters(table, [None] * 3, 30)
    assert partition(table, found) == [0, 0, 2]
    assert found.summary() == ("grouped 2 photos by the column group, 1 photos by observer and day")


def test_an_export_with_observers_gets_no_further_column() -> None:
    table = table_of(*({"observer": "ann", "observed_on": f"2020-01-0{day}"} for day in (1, 2)))
    table = table.drop(columns="group")
    found = group_encounters(table, [None] * 2, 30)
    assert "group" not in found.add_to(table)
    assert found.as_dict() == {}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_no_burst_of_own_photos_lies_in_two_splits(tmp_path: Path, suffix: str) -> None:
    rows = []
    for species in ("Panthera leo", "Panthera onca"):
        for burst in range(8):
            for frame in range(5):
                name = f"{species[9:]}{burst}{frame}"
                exif = Image.Exif()
                exif[ExifTags.Base.Make] = "camera"
                taken = NOON + timedelta(days=burst, seconds=2 * frame)
                exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken.strftime(
                    "%Y:%m:%d %H:%M:%S"
                )
                Image.new("RGB", (8, 8)).save(tmp_path / f"{name}{suffix}", exif=exif)
                rows.append({"id": name, "species": species, "image_url": f"{name}{suffix}"})
    table = table_of(*rows)
    found = group_own_photos(table, tmp_path, tmp_path, 30)
    table = found.add_to(table)
    splits = assign_splits(
        table, validation_share=0.2, test_share=0.2, group_by="observer_day", seed=1
    )
    assert found.photos_by_method == {"EXIF time and folder": 80}
    assert (splits.groupby(table["id"].str[:-1]).nunique() == 1).all()


def test_frames_that_look_the_same_stay_together_where_nothing_else_groups(
    tmp_path: Path,
) -> None:
    rows = []
    for burst in range(6):
        noise = np.random.default_rng(burst).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        scene = Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC)
        for frame in range(3):
            name = f"{burst}{frame}.jpg"
            scene.crop((2 * frame, frame, 320, 240)).save(tmp_path / name)
            rows.append({"image_url": name})
    table = table_of(*rows, {"image_url": "missing.jpg"}, {"image_url": "https://x.org/1.jpg"})
    found = group_own_photos(table, tmp_path, tmp_path, 30)
    assert partition(table, found) == [*(n - n % 3 for n in range(18)), 18, 19]
    assert "grouped 18 photos by likeness; WARNING: 2 photos" in found.summary()


def test_black_frames_are_not_one_encounter(tmp_path: Path) -> None:
    for number in range(4):
        Image.new("RGB", (320, 240), (number, 0, 0)).save(tmp_path / f"{number}.jpg")
    table = table_of(*({"image_url": f"{number}.jpg"} for number in range(4)))
    found = group_own_photos(table, tmp_path, tmp_path, 30)
    assert partition(table, found) == [0, 1, 2, 3]


def test_photos_outside_the_photos_folder_are_not_opened(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:03:21 12:00:00"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "table").mkdir()
    table = table_of({"image_url": "../a.jpg"})
    assert taken_at(tmp_path / "a.jpg") == NOON
    found = group_own_photos(table, tmp_path / "table", tmp_path / "table", 30)
    assert found.photos_by_method == {"nothing": 1}


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"II*\0" + b"\xff" * 20, b"text"])
def test_a_damaged_photo_has_no_time(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert taken_at(tmp_path / "a.jpg") is None
    assert taken_at(tmp_path / "missing.jpg") is None
    assert taken_at(tmp_path) is None
