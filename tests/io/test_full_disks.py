"""A full disk or a read-only folder: one line of error, and no half-written file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
import pytest
import torch

from panthera_vision.data.photo_table import write_table
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.json_lines import JsonLinesLog

from ..conftest import REPOSITORY, SPECIES, draw_photo

PIPELINE = REPOSITORY / "cv-classification-dvc-pipeline"


def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A tmpfs of its own; skips the test where mounting is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "panthera-test", str(folder)]
    try:
        result = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if result.returncode:
        pytest.skip("mounting a disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 KB."""
    yield from mounted(tmp_path / "полный диск", "size=300k")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "read-only", "ro,size=1m")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Forty photos of two megabytes in total, and their table."""
    folder = tmp_path / "export"
    folder.mkdir()
    lines = ["id,image_url,scientific_name"]
    for number in range(40):
        draw_photo("Panthera leo", number, (200, 150)).save(folder / f"{number}.jpg", quality=95)
        lines.append(f"{number},{number}.jpg,Panthera leo")
    (folder / "observations.csv").write_text("\n".join(lines) + "\n")
    return folder


def download(export: Path, outputs: Path) -> subprocess.CompletedProcess[str]:
    """Run the stage as DVC does, with all outputs below `outputs`."""
    dataset = export / "dataset.csv"
    rows = pd.read_csv(export / "observations.csv", dtype=str)
    table = rows.assign(species="Panthera leo")[["id", "species", "image_url"]]
    write_table(table, dataset)
    options = {"dataset": dataset, "observations": export, "images": outputs / "images"}
    options |= {"labeled": export / "labeled", "corrections": export / "corrections.csv"}
    options["log"] = outputs / "log.jsonl"
    options |= {name: outputs / f"{name}.csv" for name in ("photos", "outcomes", "credits")}
    command = [sys.executable, str(PIPELINE / "src" / "download.py")]
    return subprocess.run(
        [*command, *(f"--{name}={path}" for name, path in options.items())],
        cwd=PIPELINE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def only_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.slow
def test_a_full_disk_ends_a_download_in_one_line_and_it_resumes_with_space(
    export: Path, full: Path, tmp_path: Path
) -> None:
    line = only_line(download(export, full))
    assert line.startswith("error: No space left on device: ")
    assert not list(full.rglob("*.part"))
    assert not (full / "photos.csv").exists()
    there = list((full / "images").rglob("*.jpg"))
    assert 0 < len(there) < 40
    subprocess.run(["mount", "-o", "remount,size=10m", str(full)], check=True)
    done = download(export, full)
    assert done.returncode == 0, done.stderr
    assert len(list((full / "images").rglob("*.jpg"))) == 40


def test_a_read_only_folder_ends_a_download_in_one_line(export: Path, read_only: Path) -> None:
    line = only_line(download(export, read_only))
    assert line.startswith("error: Read-only file system: ")


def test_a_full_disk_keeps_the_old_file(full: Path) -> None:
    path = full / "table.csv"
    table = pd.DataFrame({"species": SPECIES})
    write_table(table, path)
    before = path.read_bytes()
    with pytest.raises(OSError, match="No space left on device"):
        write_table(pd.concat([table] * 10_000), path)
    assert path.read_bytes() == before
    assert list(full.iterdir()) == [path]
    with pytest.raises(OSError, match="No space left on device"), atomic_write(path) as partial:
        partial.write_bytes(bytes(400_000))
    assert path.read_bytes() == before


def test_a_full_disk_is_an_oserror_whatever_the_library_raises(full: Path) -> None:
    """torch and FAISS raise a RuntimeError on a full disk."""
    index = faiss.IndexFlatIP(100)
    index.add(np.zeros((2000, 100), dtype=np.float32))
    path = full / "made"

    def of_faiss(partial: Path) -> None:
        faiss.write_index(index, str(partial))

    def of_torch(partial: Path) -> None:
        with partial.open("wb") as file:
            torch.save({"weight": torch.zeros(200_000)}, file)

    def of_numpy(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez(file, values=np.zeros(200_000, dtype=np.float32))

    for write in (of_faiss, of_torch, of_numpy):
        with (
            pytest.raises(OSError, match="No space left on device") as caught,
            atomic_write(path) as partial,
        ):
            write(partial)
        assert caught.value.filename == str(path)
        assert not list(full.iterdir())


def test_a_full_disk_while_a_log_is_written_names_the_log(full: Path) -> None:
    path = full / "log.jsonl"
    with (
        pytest.raises(OSError, match="No space left on device") as caught,
        JsonLinesLog(path) as log,
    ):
        for _ in range(1000):
            log.append({"file": "x" * 1000})
    assert caught.value.filename == str(path)
