"""Training says which test photos look like photos that the model has learned from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.training.split_leakage import leakage_warning


def scene(seed: int) -> Image.Image:
    """A picture of blurred noise, no two alike."""
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC)


def table_of(folder: Path, photos: dict[str, tuple[str, Image.Image]]) -> pd.DataFrame:
    """Write photos, given as id → (split, picture), and return their table."""
    for id, (_, picture) in photos.items():
        picture.save(folder / f"{id}.jpg", quality=80)
    rows = [(id, split, f"{id}.jpg") for id, (split, _) in photos.items()]
    return pd.DataFrame(rows, columns=["id", "split", "file"])


def test_frames_of_a_burst_in_several_splits_are_told(tmp_path: Path) -> None:
    frames = [scene(1).crop((n, n, 320, 240)).resize((300, 220)) for n in (0, 4, 6)]
    photos = {f"other{n}": (split, scene(n + 10)) for n, split in enumerate(["train", "test"] * 5)}
    photos |= {"a": ("train", frames[0]), "b": ("test", frames[1]), "c": ("validation", frames[2])}
    warning = leakage_warning(table_of(tmp_path, photos), tmp_path, tmp_path, 2)
    assert "1 of 1 validation photos look like one of train, such as c and a" in warning
    assert "1 of 6 test photos look like one of train or validation, such as b and" in warning
    assert "\n" not in warning


def test_different_photos_give_no_warning(tmp_path: Path) -> None:
    splits = ["train", "validation", "test"] * 20
    photos = {str(n): (split, scene(n)) for n, split in enumerate(splits)}
    table = table_of(tmp_path, photos)
    assert leakage_warning(table, tmp_path, tmp_path, 2) == ""
    (tmp_path / "3.jpg").write_bytes(b"damaged")
    assert leakage_warning(table, tmp_path, tmp_path, 2) == ""


def test_real_photos_are_not_taken_for_near_duplicates(tmp_path: Path, real_data: Path) -> None:
    folder = real_data / "panthera_photos"
    files = sorted(folder.rglob("*.jpg"))[::4]
    table = pd.DataFrame(
        {
            "id": [file.stem for file in files],
            "split": [("train", "test")[n % 2] for n in range(len(files))],
            "file": [str(file.relative_to(folder)) for file in files],
        }
    )
    warning = leakage_warning(table, folder, folder, 2)
    assert warning == "" or int(warning.split(" of ")[0].split()[-1]) <= 2


def test_a_table_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"id": ["1"], "split": ["test"], "file": ["../x.jpg"]})
    with pytest.raises(UserError, match="lies outside"):
        leakage_warning(table, tmp_path, tmp_path, 1)
