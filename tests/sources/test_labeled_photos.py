"""Photos that people labeled become training photos, and move no other photo."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from panthera_vision.sources.labeled_photos import (
    Photographer,
    add_to_training,
    export_labeled_photos,
    read_labeled_photos,
)

from ..conftest import draw_photo, write_camera_photo

LION, LEOPARD = "Panthera leo", "Panthera pardus"


def test_exported_photos_keep_photographer_day_and_label(tmp_path: Path) -> None:
    camera = write_camera_photo(tmp_path / "trip/1.jpg", artist="Ann")
    plain = tmp_path / "trip/2.png"
    draw_photo(LEOPARD, 2).save(plain)
    folder = tmp_path / "pipeline/labeled"
    labels = {camera: LION, plain: LEOPARD}
    export_labeled_photos(folder, labels, Photographer("Ben", "2024-05-06"))
    before = (folder / "observations.csv").read_bytes()
    export_labeled_photos(folder, labels, Photographer("Ben", "2024-05-06"))
    assert (folder / "observations.csv").read_bytes() == before

    table = read_labeled_photos(folder, tmp_path / "pipeline/export", [LION, LEOPARD])
    assert table is not None
    rows = table.set_index("species")[["observer", "observed_on"]]
    assert rows.loc[LION].tolist() == ["Ann", "2021-05-01"]
    assert rows.loc[LEOPARD].tolist() == ["Ben", "2024-05-06"]
    (tmp_path / "pipeline/export").mkdir()
    for address in table["image_url"]:
        assert (tmp_path / "pipeline/export" / address).is_file()


def test_a_photo_that_is_relabeled_is_there_once(tmp_path: Path) -> None:
    photo = tmp_path / "1.png"
    draw_photo(LION, 1).save(photo)
    export_labeled_photos(tmp_path / "labeled", {photo: LION})
    tree = export_labeled_photos(tmp_path / "labeled", {photo: LEOPARD})
    assert [row["scientific_name"] for row in tree.rows] == [LEOPARD]


def test_a_folder_without_labeled_photos_adds_nothing(tmp_path: Path) -> None:
    assert read_labeled_photos(tmp_path, tmp_path, [LION]) is None
    table = pd.DataFrame({"id": ["1"], "split": ["test"]})
    assert add_to_training(table, None, "observer_day")[0] is table


def test_labeled_photos_are_for_training_unless_their_day_is_in_another_split() -> None:
    def rows(*lines: tuple[str, str]) -> pd.DataFrame:
        return pd.DataFrame(lines, columns=["id", "observer"]).assign(observed_on="2024-05-06")

    table = rows(("1", "Ann"), ("2", "Ben")).assign(split=["test", "validation"])
    labeled = rows(("1", "Ann"), ("3", "Ann"), ("4", "Eve"), ("5", "")).assign(taken_at="x")
    together, phrase = add_to_training(table, labeled, "observer_day")
    splits = dict(zip(together["id"], together["split"], strict=True))
    assert splits == {"1": "test", "2": "validation", "3": "test", "4": "train", "5": "train"}
    assert phrase.startswith("3 photos")
    assert together["taken_at"].tolist() == ["", "", "x", "x", "x"]


def test_an_interrupted_export_leaves_no_half_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "1.png"
    draw_photo(LION, 1).save(photo)

    def fail(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(OSError, match="No space left"):
        export_labeled_photos(tmp_path / "labeled", {photo: LION})
    assert not list((tmp_path / "labeled").rglob("*.p*"))
