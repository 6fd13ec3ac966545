"""The user's own folders: one unreadable file does not stop a stage."""

from pathlib import Path

import pytest
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.images.readable import readable_photos

SETTING = "evaluate.other_photos"


def test_unreadable_files_are_left_out_and_counted_by_reason(tmp_path: Path) -> None:
    for name in ("b.jpg", "sub folder/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (30, 20)).save(tmp_path / name)
    readable, left_out = readable_photos(tmp_path, SETTING)
    assert [path.name for path in readable] == ["b.jpg", "a.png"]
    assert left_out == ""
    (tmp_path / "a.jpg").write_text("<html>")
    (tmp_path / "c.jpg").write_bytes(b"")
    (tmp_path / "d.jpg").write_bytes(b"")
    (tmp_path / "e.jpg").symlink_to(tmp_path / "gone.jpg")
    cut = (tmp_path / "sub folder/a.png").read_bytes()[:40]
    (tmp_path / "f.png").write_bytes(cut)
    assert readable_photos(tmp_path, SETTING)[0] == readable
    left_out = readable_photos(tmp_path, SETTING)[1]
    assert left_out.startswith(f"{SETTING}: 5 of 7 files left out (2 not a photo, 2 empty file, ")
    assert left_out.endswith(f"such as {tmp_path / 'a.jpg'}")


def test_folder_without_readable_photos_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("<html>")
    with pytest.raises(UserError, match=rf"^{SETTING} = .*: no readable photo; 1 of 1 files"):
        readable_photos(tmp_path, SETTING)
    with pytest.raises(UserError, match=rf"^{SETTING} = .*gone: it does not exist"):
        readable_photos(tmp_path / "gone", SETTING)
    with pytest.raises(UserError, match=rf"^{SETTING} = .*a\.jpg: it is not a folder"):
        readable_photos(tmp_path / "a.jpg", SETTING)
