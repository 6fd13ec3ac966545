"""What several tests need: a few coloured photos, tables, and the shared photos where they are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos and a real export, which is no part of the repository."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real photos are not on this machine")
    return folder


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
