from pathlib import Path

import pandas as pd
import pytest

from panthera_vision.data.photo_table import photo_paths, rebase_files
from panthera_vision.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table's folder with two photos, and a link to a file outside."""
    folder = tmp_path / "pipeline"
    (folder / "data").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (folder / "data" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    for name in ("a.jpg", "b.jpg"):
        (folder / "data" / name).write_bytes(name.encode())
    return folder


def paths(folder: Path, *files: str) -> list[Path]:
    return photo_paths(pd.DataFrame({"file": files}), folder, [folder / "data"])


@pytest.mark.parametrize("file", ["../secret.jpg", "/etc/hostname", "data/link.jpg"])
def test_path_traversal_out_of_the_photo_folders_is_refused(folder: Path, file: str) -> None:
    assert paths(folder, "data/a.jpg") == [folder / "data/a.jpg"]
    with pytest.raises(UserError, match="lies outside"):
        paths(folder, "data/a.jpg", file)


def test_a_missing_photo_and_a_table_of_an_older_version_are_one_line(folder: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.jpg does not exist; `dvc repro` restores"):
        paths(folder, "data/a.jpg", "data/gone.jpg")
    with pytest.raises(UserError, match=r"of an older version; `dvc repro` rewrites it"):
        photo_paths(pd.DataFrame({"file": ["data/a.jpg"]}), folder / "data", [folder / "data/x"])


def test_files_stay_the_same_photos_when_a_table_moves(folder: Path) -> None:
    table = pd.DataFrame({"file": ["a.jpg", "", "../data/b.jpg"], "id": ["1", "2", "3"]})
    moved = rebase_files(table, folder / "data", folder / "results")
    assert list(moved["file"]) == ["../data/a.jpg", "", "../data/b.jpg"]
    assert rebase_files(moved, folder / "results", folder)["file"][0] == "data/a.jpg"
