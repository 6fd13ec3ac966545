"""What several tests need: a few coloured photos, tables, and the shared photos where they are."""

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import ExifTags, Image
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from panthera_vision.inference.garbage_collection import collect_less_often

REPOSITORY = Path(__file__).parent.parent
SPECIES = (
    "Panthera leo",
    "Panthera onca",
    "Panthera pardus",
    "Panthera tigris",
    "Panthera uncia",
)
_COLOURS = {
    "Panthera leo": (200, 160, 90),
    "Panthera onca": (150, 100, 20),
    "Panthera pardus": (220, 190, 60),
    "Panthera tigris": (230, 110, 20),
    "Panthera uncia": (190, 200, 210),
}

# An example takes as long as the other processes let it.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
collect_less_often()  # a third of the time in which the tests are imported

# The longest first, so that no process is left alone with one at the end. `test_apps.py` makes the
# demo, which the other tests of pipelines, later, find there.
_FIRST = (
    "tests/pipelines/test_apps.py",
    "tests/training/test_distributed.py",
    "tests/test_api.py",
    "tests/training/test_trainer.py",
    "notebooks/",
    "tests/search/test_distributed.py",
    "tests/batch/test_batch_search.py",
    "tests/pipelines/test_run.py",
    "tests/pipelines/",
)


def _place(nodeid: str) -> int:
    places = (place for place, name in enumerate(_FIRST) if nodeid.startswith(name))
    return next(places, len(_FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first; mark those of pipelines and of browsers."""
    for item in items:
        if item.nodeid.startswith("tests/pipelines/"):
            item.add_marker(pytest.mark.pipeline)
        if "_in_browser" in item.nodeid:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: _place(item.nodeid))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Start one process more than there are processors: many tests wait for a server or a page."""
    return (os.cpu_count() or 1) + 1


class _ByFile(LoadScopeScheduling):
    """Give a process whole files."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Divide the tests among the processes of `--numprocesses`."""
    return _ByFile(config, log)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos and a real export, which is no part of the repository."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real photos are not on this machine")
    return folder


@pytest.fixture(autouse=True)
def csv_field_size_limit() -> Iterator[None]:
    """Restore the csv module's limit, which importing frictionless raises for the process."""
    limit = csv.field_size_limit()
    yield
    csv.field_size_limit(limit)


def draw_photo(species: str, seed: int, size: tuple[int, int] = (80, 60)) -> Image.Image:
    """A picture in the species' colour with noise, no two alike."""
    noise = np.random.default_rng(seed).integers(-30, 30, (size[1], size[0], 3))
    pixels = np.clip(np.array(_COLOURS[species]) + noise, 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.fixture
def write_export(tmp_path: Path) -> Callable[..., Path]:
    """Write an `observations.csv` of the given lines; returns its folder."""

    def write(*lines: str, header: str = "id,image_url,scientific_name", end: str = "\n") -> Path:
        folder = tmp_path / "export"
        folder.mkdir(exist_ok=True)
        text = end.join([header, *lines]) + end
        (folder / "observations.csv").write_bytes(text.encode())
        return folder

    return write


def write_camera_photo(
    path: Path,
    *,
    time: str = "2021:05:01 06:30:00",
    offset: str = "",
    place: tuple[float, float] | None = (-2.333333, 34.833333),
    artist: str = "",
) -> Path:
    """Write a JPEG with the EXIF data of a camera that has a GPS receiver; return its path."""
    exif = Image.Exif()
    if artist:
        exif[ExifTags.Base.Artist] = artist
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.DateTimeOriginal] = time
    if offset:
        camera[ExifTags.Base.OffsetTimeOriginal] = offset
    if place:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        for degrees, signs, reference, tag in zip(
            place,
            ("NS", "EW"),
            (ExifTags.GPS.GPSLatitudeRef, ExifTags.GPS.GPSLongitudeRef),
            (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude),
            strict=True,
        ):
            minutes, seconds = divmod(round(abs(degrees) * 3600, 3), 60)
            whole, minutes = divmod(minutes, 60)
            gps[reference] = signs[degrees < 0]
            gps[tag] = (whole, minutes, seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_photo("Panthera leo", len(path.name)).save(path, "JPEG", exif=exif)
    return path
