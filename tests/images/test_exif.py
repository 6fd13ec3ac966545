"""When and where a photo was taken: what cameras write, and what damaged EXIF data gives."""

import random
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from panthera_vision.data.coordinates import generalize
from panthera_vision.images.exif import CameraData, read_camera_data

from ..conftest import write_camera_photo


@pytest.mark.parametrize("place", [(-2.333333, 34.833333), (51.5, -0.125), (-33.9, -70.7)])
def test_time_place_and_photographer_are_read(tmp_path: Path, place: tuple[float, float]) -> None:
    photo = write_camera_photo(tmp_path / "a.jpg", offset="+03:00", place=place, artist=" Ann\tB. ")
    data = read_camera_data(photo)
    assert data.time == "2021-05-01T06:30:00+03:00"
    assert data.latitude == pytest.approx(place[0], abs=1e-5)
    assert data.longitude == pytest.approx(place[1], abs=1e-5)
    assert data.artist == "Ann B."
    assert read_camera_data(photo.read_bytes()) == data


@pytest.mark.parametrize(
    "gps",
    [
        {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (1.0, 2.0, 3.0)},
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "?", 2: (1.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (1.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {2: (1.0, 0.0, 0.0), 4: (1.0, 0.0, 0.0)},
    ],
)
def test_a_place_that_is_none_is_left_out(tmp_path: Path, gps: dict[int, object]) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    data = read_camera_data(tmp_path / "a.jpg")
    assert (data.latitude, data.longitude) == (None, None)


def test_damaged_data_and_other_files_are_empty_and_raise_nothing(tmp_path: Path) -> None:
    whole = write_camera_photo(tmp_path / "a.jpg").read_bytes()
    chance = random.Random(1)
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(5):
            damaged[chance.randrange(20, 400)] = chance.randrange(256)
        read_camera_data(bytes(damaged))
    (tmp_path / "page.jpg").write_text("<html>")
    for nothing in (tmp_path / "page.jpg", tmp_path, tmp_path / "missing.jpg", b""):
        assert read_camera_data(nothing) == CameraData()


def test_coordinates_are_exact_to_a_tenth_of_a_degree_or_left_out() -> None:
    assert [generalize(-2.3333333333, how) for how in ("exact", "obscured", "none")] == [
        -2.333333,
        -2.3,
        None,
    ]
