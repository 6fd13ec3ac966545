"""The demo's settings are written to params.yaml, and nothing that was there is lost unsaid."""

import subprocess
import sys
from pathlib import Path

from .conftest import REPOSITORY


def set_keys(file: Path, *settings: str) -> str:
    script = REPOSITORY / "demo/set_params.py"
    command = [sys.executable, str(script), str(file), *settings]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_old_values_are_printed_and_comments_kept(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    text = "a:\n  # Why.\n  b: data/mine\n  c: null\n  d: 3\n"
    file.write_text(text)
    printed = set_keys(file, "a.b=../demo/set", "a.c=5", "a.d=3")
    assert printed.splitlines() == [
        f"{file}: a.b was data/mine, is now ../demo/set",
        f"{file}: a.c was null, is now 5",
    ]
    changed = text.replace("data/mine", "../demo/set").replace("null", "5")
    assert file.read_text() == changed
    assert set_keys(file, "a.b=../demo/set", "a.c=5") == ""
    set_keys(file, "a.b=data/mine", "a.c=null")
    assert file.read_text() == text
