"""Atomic file writes and the cleaning up of temporary files."""

import subprocess
import sys
from pathlib import Path

import pytest

from panthera_vision.io.atomic import atomic_write, remove_partial_files, write_text


def test_a_failed_write_keeps_the_old_file_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with pytest.raises(RuntimeError), atomic_write(path) as partial:
        partial.write_text("ne")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_temporary_files_are_removed_unless_their_process_runs(tmp_path: Path) -> None:
    wait = [sys.executable, "-c", "input()"]
    with subprocess.Popen(wait, stdin=subprocess.PIPE) as other:
        written = tmp_path / "photos" / f"1.jpg.{other.pid}.part"
        written.parent.mkdir()
        written.write_bytes(b"half")
        (tmp_path / "2.jpg.part").write_bytes(b"")
        assert remove_partial_files(tmp_path) == 1
        assert written.exists()
        other.communicate(b"\n")
    assert remove_partial_files(tmp_path) == 1
    assert not written.exists()
