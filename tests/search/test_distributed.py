"""Distributed embedding with torchrun, and its behavior when a process fails."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from panthera_vision.distributed import ProcessGroup
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.models.checkpoint import load_checkpoint, save_checkpoint
from panthera_vision.search.embedding.cache import KEY_FILE, create_cache, open_cache
from panthera_vision.search.embedding.embed_collection import (
    EmbeddingCounts,
    PhotoFiles,
    cache_key,
    embed_distributed,
)

from ..conftest import REPOSITORY, SPECIES, draw_photo
from ..made_search import untrained_model

pytestmark = pytest.mark.slow

PIPELINE = REPOSITORY / "image-search-dvc-pipeline"
PHOTOS = 40
BATCH = 4


def make_pipeline(folder: Path, photos: int) -> Path:
    """Make a folder with photos, their table and a model."""
    images = folder / "data" / "dataset_images"
    images.mkdir(parents=True)
    rows = []
    for number in range(photos):
        file = images / f"{number}.jpg"
        draw_photo(SPECIES[number % 5], number).save(file)
        rows.append(
            {
                "id": number,
                "species": SPECIES[number % 5],
                "image_url": "",
                "file": f"dataset_images/{file.name}",
                "sha256": sha256_of_file(file),
                "outcome": "ok",
            }
        )
    pd.DataFrame(rows).to_csv(folder / "data" / "photos.csv", index=False)
    save_checkpoint(untrained_model(), folder / "model.pth")
    shutil.copy(PIPELINE / "params.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pipeline(tmp_path_factory.mktemp("pipeline"), PHOTOS)


def start(folder: Path, store: Path, *launcher: str) -> subprocess.Popen[str]:
    words = ["--photos", "data/photos.csv", "--embedder", "model.pth", "--embeddings", str(store)]
    return subprocess.Popen(
        [sys.executable, *launcher, str(PIPELINE / "src" / "embed.py"), *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def outputs(pipeline: Path, store: Path, scratch: Path) -> np.ndarray:
    photos = pd.read_csv(pipeline / "data" / "photos.csv")["sha256"].tolist()
    key = cache_key(load_checkpoint(pipeline / "model.pth"))
    return np.array(open_cache(store, key).gather(photos, scratch))


def test_two_processes_compute_the_outputs_of_one(pipeline: Path, tmp_path: Path) -> None:
    stores = [tmp_path / "one", tmp_path / "two"]
    for store, launcher in zip(stores, [(), TORCHRUN], strict=True):
        process = start(pipeline, store, *launcher)
        printed, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert printed == f"embed: {PHOTOS} embedded, 0 kept, 0 removed; {store}\n"
    one, two = (outputs(pipeline, store, tmp_path / f"{store.stem}.npy") for store in stores)
    assert np.abs(one - two).max() <= 1e-6 * np.abs(one).max()
    assert not (stores[1] / "shards").exists()


def worker(store: Path, rank: int) -> int:
    """Find the process of that rank that embeds into `store`."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text()
            settings = dict(
                line.split("=", 1)
                for line in (folder / "environ").read_text().split("\0")
                if "=" in line
            )
        except OSError:
            continue
        if str(store) in words and settings.get("RANK") == str(rank):
            return int(folder.name)
    raise AssertionError(f"no process of rank {rank}")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_killed_process_ends_the_others_soon_with_one_error_line(
    tmp_path: Path,
) -> None:
    # So many that neither process comes to the end of its shard.
    folder = make_pipeline(tmp_path / "pipeline", 20 * PHOTOS)
    store = tmp_path / "store"
    together = start(folder, store, *TORCHRUN)
    while not (store / "shards" / "0001" / KEY_FILE).exists():
        assert together.poll() is None
        time.sleep(0.02)
    os.kill(worker(store, 1), signal.SIGKILL)
    _, errors = together.communicate(timeout=25)
    assert together.returncode == 1
    said = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(said) == 1, errors
    assert "run the same command again" in said[0]


@dataclass(frozen=True)
class OneOfTwo(ProcessGroup):
    """Act as one of two processes that run one after the other.

    Attributes:
        firsts: what the main process would broadcast.
    """

    world_size: int = 2
    firsts: Any = None

    def broadcast(self, value: Any) -> Any:
        return value if self.is_main or isinstance(value, bytes) else self.firsts

    def all_gather(self, value: Any) -> list[Any]:
        return [value]


def test_error_without_shared_folder_says_how_to_merge_shards(
    pipeline: Path, tmp_path: Path
) -> None:
    photos = pd.read_csv(pipeline / "data" / "photos.csv")
    hashes = photos["sha256"].tolist()
    paths = [pipeline / "data" / file for file in photos["file"]]
    files = PhotoFiles(hashes, paths)
    predictor = Predictor(load_checkpoint(pipeline / "model.pth"))
    here, there = tmp_path / "here", tmp_path / "there"

    def embed(folder: Path, processes: ProcessGroup) -> EmbeddingCounts:
        return embed_distributed(
            predictor, files, folder, batch_size=BATCH, threads=1, processes=processes
        )

    assert embed(there, OneOfTwo(1, firsts=list(range(PHOTOS)))) == EmbeddingCounts(
        PHOTOS // 2, 0, 0
    )
    with pytest.raises(UserError, match="20 photos that other machines embedded are not in"):
        embed(here, OneOfTwo(0))
    shutil.copytree(there / "shards", here / "shards")
    assert embed(here, ProcessGroup()) == EmbeddingCounts(0, PHOTOS, 0)
    assert create_cache(here, cache_key(predictor.model)).missing(hashes) == []


def test_processes_with_different_tables_are_rejected() -> None:
    class Other(OneOfTwo):
        def broadcast(self, value: Any) -> Any:
            return b"another"

    with pytest.raises(UserError, match="process 1: the table of photos differs from"):
        Other(1).require_same(["photo"], "the table of photos")
