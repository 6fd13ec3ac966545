"""Distributed training gives the result of a single process, and resumes after a kill."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from torch import distributed

from panthera_vision.distributed import ProcessGroup, init_distributed
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import read_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.training.augmentation import Augmentation
from panthera_vision.training.dataset import LabeledPhotos, TrainingData, training_batches
from panthera_vision.training.trainer import fine_tune

from ..conftest import REPOSITORY, SPECIES, draw_photo

pytestmark = pytest.mark.slow

PIPELINE = REPOSITORY / "cv-classification-dvc-pipeline"
ARGUMENTS = [
    *("--photos", "data/photos.csv", "--images", "data/dataset_images"),
    *("--model", "models/best_model.pth"),
    *("--history", "results/training_history.json", "--live", "results/training"),
]


@given(items=st.lists(st.integers()), count=st.integers(1, 9), batch_size=st.integers(1, 7))
def test_shards_are_disjoint_complete_ordered_and_even(
    items: list[int], count: int, batch_size: int
) -> None:
    group = [ProcessGroup(rank, count) for rank in range(count)]
    shards = [process.shard(items) for process in group]
    assert [item for shard in shards for item in shard] == items
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    batches = [process.shard_batches(items, batch_size) for process in group]
    assert [item for shard in batches for item in shard] == items
    assert sum(len(shard) % batch_size > 0 for shard in batches) <= 1


@pytest.mark.parametrize("rank", ["0", "1"])
def test_an_error_is_reported_before_torchrun_ends_the_process(
    rank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": rank}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed, "init_process_group", lambda *_, **__: None)
    monkeypatch.setattr(distributed, "get_rank", lambda: int(rank))
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(UserError, match="a broken photo"), init_distributed():
            raise UserError("a broken photo")
        signal.raise_signal(signal.SIGTERM)  # while the error is printed
        with pytest.raises((UserError, SystemExit)), init_distributed():
            signal.raise_signal(signal.SIGTERM)  # while there is none
    finally:
        signal.signal(signal.SIGTERM, before)


def write_photos(folder: Path) -> list[Path]:
    folder.mkdir(parents=True)
    paths = [folder / f"{number}.png" for number in range(50)]
    for number, path in enumerate(paths):
        draw_photo(SPECIES[number % 5], number).save(path)
    return paths


def test_shards_of_a_batch_concatenate_to_the_batch_of_one_process(tmp_path: Path) -> None:
    photos = LabeledPhotos(write_photos(tmp_path / "photos"), [n % 5 for n in range(50)])
    augmentation = Augmentation(
        find_backbone("efficientnet_lite0", image_size=32).preprocessing, 0.4, 0.3, 0.5
    )

    def epoch(processes: ProcessGroup) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return training_batches(
            photos, augmentation, batch_size=16, threads=2, seed=3, processes=processes
        )

    whole = list(epoch(ProcessGroup()))
    shared = list(zip(*(epoch(ProcessGroup(rank, 3)) for rank in range(3)), strict=True))
    assert len(whole) == len(shared) == 3
    for (batch, numbers), shares in zip(whole, shared, strict=True):
        assert torch.equal(batch, torch.cat([share for share, _ in shares]))
        assert all(torch.equal(numbers, all_numbers) for _, all_numbers in shares)


def test_a_batch_smaller_than_the_number_of_processes_is_an_error(tmp_path: Path) -> None:
    parameters = read_parameters("train", TrainParameters, PIPELINE / "params.yaml")
    photos = LabeledPhotos([tmp_path] * 50, [0] * 50)
    with pytest.raises(UserError, match=r"train\.batch_size = 2: 3 processes"):
        fine_tune(
            parameters.model_copy(update={"batch_size": 2}),
            TrainingData(SPECIES, photos, photos),
            processes=ProcessGroup(0, 3),
        )


def make_pipeline(folder: Path) -> Path:
    """Create a pipeline folder with 50 photos and settings for a short training."""
    paths = write_photos(folder / "data" / "dataset_images")
    rows = [
        {
            "id": path.stem,
            "species": SPECIES[number % 5],
            "observer": "",
            "observed_on": "",
            "image_url": "",
            "split": "validation" if number % 5 == number // 5 % 5 else "train",
            "file": f"dataset_images/{path.name}",
            "sha256": path.stem,
            "outcome": "ok",
        }
        for number, path in enumerate(paths)
    ]
    pd.DataFrame(rows).to_csv(folder / "data" / "photos.csv", index=False)
    yaml = YAML()
    settings = yaml.load((PIPELINE / "params.yaml").read_text("utf-8"))
    settings["train"] |= {
        "backbone": "efficientnet_lite0",
        "image_size": 32,
        "epochs": 3,
        "batch_size": 15,
        "dropout": 0.0,
        "ema_decay": 0.5,
    }
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(settings, file)
    return folder


def start(folder: Path, *launcher: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *launcher, str(PIPELINE / "src" / "train.py"), *ARGUMENTS],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def test_two_processes_train_like_one_and_resume_after_a_kill(
    tmp_path: Path,
) -> None:
    alone, together = make_pipeline(tmp_path / "alone"), make_pipeline(tmp_path / "together")
    one = start(alone)
    killed = start(together, *TORCHRUN)
    history = together / "results" / "training_history.json"
    while not history.exists():
        assert killed.poll() is None
        time.sleep(0.05)
    killed.terminate()
    killed.communicate(timeout=60)
    model = together / "models" / "best_model.pth"
    assert not model.exists()
    two = start(together, *TORCHRUN)
    for process in (one, two):
        printed, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert printed.count("train: 40 photos, 3 epochs") == 1
    assert errors.count("epoch 3/3: 100%") == 1  # one bar, not two
    assert "epoch 1/3:" not in errors  # it resumed
    expected, measured = (
        json.loads((folder / "results" / "training_history.json").read_text())["epochs"]
        for folder in (alone, together)
    )
    assert [epoch["epoch"] for epoch in measured] == [1, 2, 3]
    for before, after in zip(expected, measured, strict=True):
        assert after == pytest.approx(before, rel=0.02, abs=0.01)
    assert not (together / "models" / "training_state.pth").exists()
    photos = [read_photo(path) for path in sorted((alone / "data/dataset_images").iterdir())[:5]]
    answers = [
        [
            Predictor(load_checkpoint(folder / "models/best_model.pth")).predict_image(p)
            for p in photos
        ]
        for folder in (alone, together)
    ]
    for before, after in zip(*answers, strict=True):
        assert after.probabilities == pytest.approx(before.probabilities, abs=0.02)
