from pathlib import Path

import pandas as pd
import pytest

from panthera_vision.data.photo_table import photo_paths
from panthera_vision.errors import UserError


@pytest.mark.parametrize("file", ["../secret.jpg", "/etc/hostname", "data/link.jpg"])
def test_no_path_of_a_table_leads_out_of_the_photos_folder(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "pipeline"
    (folder / "data").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (folder / "data" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    roots = [folder / "data"]
    assert photo_paths(pd.DataFrame({"file": ["data/a.jpg"]}), folder, roots) == [
        folder / "data/a.jpg"
    ]
    with pytest.raises(UserError, match="lies outside"):
        photo_paths(pd.DataFrame({"file": ["data/a.jpg", file]}), folder, roots)
