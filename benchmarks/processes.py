"""Training by two processes beside training by one: the same result, and how long each takes.

On photos of the classification pipeline, with its splits by observer and day, in a folder of their
own; nothing of the pipeline is changed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from benchmarks.harness import interval, table
from panthera_vision.cli.runner import run
from panthera_vision.data.photo_table import photo_paths, read_photos, rebase_files, write_table
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import write_text
from panthera_vision.models.checkpoint import load_checkpoint

REPOSITORY = Path(__file__).resolve().parents[1]
PIPELINE = REPOSITORY / "cv-classification-dvc-pipeline"
IMAGES = PIPELINE / "data" / "dataset_images"
SETTINGS = {"backbone": "efficientnet_lite0", "image_size": 160, "epochs": 4}
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
# Processes, how they are started, and what is added to the seed. Each training has all cores: two
# processes have half of them each. Another seed shows how far apart two trainings are anyway.
TRAININGS: dict[str, tuple[int, list[str], int]] = {
    "one": (1, [], 0),
    "two, by torchrun": (2, TORCHRUN, 0),
    "one, another seed": (1, [], 1),
}


@dataclass(frozen=True)
class Trained:
    """What a training took, and what its model says of the test photos.

    Attributes:
        seconds: from start to end, with the start of Python.
        probabilities: (N, classes) of the test photos.
        hits: (N,) of 0 and 1.
    """

    seconds: float
    probabilities: np.ndarray
    hits: np.ndarray


def chosen_photos(count: int) -> pd.DataFrame:
    """About `count` of the pipeline's photos, evenly from each species of each split."""
    photos = read_photos(PIPELINE / "data" / "photos.csv", splits=True)
    step = max(1, len(photos) // count)
    groups = photos.groupby(["split", "species"], sort=True)
    return pd.concat([group.iloc[::step] for _, group in groups]).reset_index(drop=True)


def train(
    folder: Path, photos: pd.DataFrame, processes: int, launcher: list[str], more_seed: int
) -> Trained:
    """Train by `src/train.py` in `folder`, and test."""
    (folder / "data").mkdir(parents=True)
    write_table(
        rebase_files(photos, PIPELINE / "data", folder / "data"), folder / "data" / "photos.csv"
    )
    yaml = YAML()
    settings = yaml.load((PIPELINE / "params.yaml").read_text("utf-8"))
    settings["train"] |= SETTINGS | {"seed": settings["train"]["seed"] + more_seed}
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(settings, file)
    threads = max(1, (os.cpu_count() or 1) // processes)
    words = ["--photos", "data/photos.csv", "--images", str(IMAGES), "--model", "model.pth"]
    words += ["--history", "history.json", "--live", "live"]
    start = time.perf_counter()
    result = subprocess.run(
        [sys.executable, *launcher, str(PIPELINE / "src" / "train.py"), *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    seconds = time.perf_counter() - start
    if result.returncode:
        raise UserError(f"training by {processes} failed with {result.returncode}")
    model = load_checkpoint(folder / "model.pth")
    test = photos[photos["split"] == "test"]
    answers = Predictor(model).outputs_of_files(
        photo_paths(test, PIPELINE / "data", [IMAGES]), batch_size=32
    )
    probabilities = (answers.logits / model.temperature).softmax(1).numpy()
    truth = np.array([model.class_names.index(name) for name in test["species"]])
    return Trained(seconds, probabilities, (probabilities.argmax(1) == truth).astype(float))


def processes_section(count: int) -> str:
    """The measurement as a section in Markdown, with about `count` photos."""
    photos = chosen_photos(count)
    trained: dict[str, Trained] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, how) in enumerate(TRAININGS.items()):
            trained[name] = train(Path(folder) / str(number), photos, *how)
    first = next(iter(trained.values()))
    rows = []
    for name, one in trained.items():
        apart = np.abs(first.probabilities - one.probabilities).max(axis=1)
        same = first.probabilities.argmax(1) == one.probabilities.argmax(1)
        comparison = [f"{same.sum()} of {len(same)}", f"{np.median(apart):.3f}"]
        comparison.append(f"{apart.max():.3f}")
        if one is first:
            comparison = ["", "", ""]
        rows.append([name, f"{one.seconds:.0f}", interval(one.hits), *comparison])
    counts = photos["split"].value_counts()
    return (
        "## Training by two processes\n\n"
        f"`python -m benchmarks.processes --photos {count}`: {counts['train']} photos to learn "
        f"from, {counts['validation']} to validate, {counts['test']} to test, of observers' days "
        f"of their own; {SETTINGS['backbone']} at {SETTINGS['image_size']} px, "
        f"{SETTINGS['epochs']} epochs, the rest as in `params.yaml`, the same seed; "
        f"{os.cpu_count()} cores, shared by the processes. Time has the start of Python and the "
        "fit of the model's confidence in it.\n\n"
        + table(
            [
                "processes",
                "seconds",
                "test accuracy (95% interval over photos)",
                "same species as by one",
                "probabilities apart, median",
                "at most",
            ],
            rows,
        )
        + "\n"
    )


def main(arguments: argparse.Namespace) -> str:
    text = processes_section(arguments.photos)
    if arguments.out:
        write_text(arguments.out, text)
        return f"processes: {arguments.out}"
    return text


parser = argparse.ArgumentParser(prog="python -m benchmarks.processes", description=__doc__)
parser.add_argument("--photos", type=int, default=300, help="about so many; %(default)s")
parser.add_argument("--out", type=Path, help="the page to write; default: the terminal")

if __name__ == "__main__":
    run(main, parser)
