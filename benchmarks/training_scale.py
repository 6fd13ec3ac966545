"""Measure what training costs with 10,000 and 100,000 photos: time, memory, decoded photos.

The photos are synthetic, a thousand files in turn, with random labels. It is about cost alone.
Sizes like these need a GPU, or small squares: `--image-size 32`.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from panthera_vision.cli.runner import run
from panthera_vision.inference import square_cache
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.io.atomic import write_text
from panthera_vision.models.pretrained import PANTHERA
from panthera_vision.parameters import TrainParameters
from panthera_vision.reporting.markdown import markdown_table
from panthera_vision.training import dataset
from panthera_vision.training.dataset import load_training_data
from panthera_vision.training.split_leakage import leakage_warning
from panthera_vision.training.trainer import fine_tune

SIZES = [10_000, 100_000]
SPLITS = {"train": 0.7, "validation": 0.15, "test": 0.15}
_FILES = 1000
_SEED = 17


def draw_photos(folder: Path) -> None:
    """Draw a thousand photos of noise, 480 pixels wide, as JPEG."""
    folder.mkdir()
    random = np.random.default_rng(_SEED)
    for number in range(_FILES):
        noise = random.integers(0, 255, (60, 80, 3)).astype(np.uint8)
        photo = Image.fromarray(noise).resize((480, 360), Image.Resampling.BICUBIC)
        photo.save(folder / f"{number}.jpg", quality=85)


def photo_table(count: int, folder: Path) -> pd.DataFrame:
    """Return a table of `count` photos: species and splits are drawn."""
    random = np.random.default_rng(_SEED)
    return pd.DataFrame(
        {
            "id": np.arange(count).astype(str),
            "species": np.array(PANTHERA)[random.integers(len(PANTHERA), size=count)],
            "observer": np.arange(count).astype(str),
            "observed_on": "2020-01-01",
            "source": "synthetic",
            "sha256": [f"{number:064x}" for number in range(count)],
            "split": random.choice(list(SPLITS), count, p=list(SPLITS.values())),
            "file": [f"{folder.name}/{number % _FILES}.jpg" for number in range(count)],
        }
    ).astype(str)


def measure(count: int, settings: dict[str, int], folder: Path) -> dict[str, Any]:
    """Check for leakage and train; return seconds, peak memory and decoded photos."""
    configure_process()
    photos = folder / "photos"
    table = photo_table(count, photos)
    start = time.perf_counter()
    leakage_warning(table, folder, photos, settings["num_threads"])
    leakage = time.perf_counter() - start
    data = load_training_data(table, folder, photos)
    decoded = {module: _count_decoding(module) for module in (dataset, square_cache)}
    parameters = TrainParameters.model_validate(
        {"backbone": "efficientnet_lite0", "batch_size": 128, **settings}
    )
    ends, peaks = [], []

    def on_epoch(epoch: object, is_best: bool) -> None:
        ends.append(time.perf_counter())
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    start = time.perf_counter()
    fine_tune(parameters, data, on_epoch=on_epoch)
    return {
        "leakage": leakage,
        "training": time.perf_counter() - start,
        "epoch": float(np.diff(ends).mean()),
        "peak_first": peaks[0],
        "peak_last": peaks[-1],
        "gpu": torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0,
        "decoded": len(decoded[dataset]) / (len(data.train.paths) * parameters.epochs),
        "classified": len(decoded[square_cache]) / len(set(data.validation.paths)),
    }


def _count_decoding(module: ModuleType) -> list[str]:
    """Return a list that grows with each photo that `module` opens."""
    opened: list[str] = []
    open_photo = module.open_photo

    def counted(path: Path, *arguments: Any) -> Image.Image:
        opened.append(path.name)
        photo: Image.Image = open_photo(path, *arguments)
        return photo

    vars(module)["open_photo"] = counted
    return opened


def main(arguments: argparse.Namespace) -> str:
    settings = {
        "epochs": arguments.epochs,
        "num_threads": arguments.threads,
        "image_size": arguments.image_size,
    }
    if arguments.one:
        print(json.dumps(measure(arguments.one, settings, arguments.out)))
        return "measured"
    found = {}
    with tempfile.TemporaryDirectory() as name:
        draw_photos(Path(name) / "photos")
        for count in arguments.sizes:
            options = ["--one", str(count), *_options(arguments).split()]
            command = [sys.executable, "-m", "benchmarks.training_scale", name, *options]
            result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found[count] = json.loads(result.stdout.splitlines()[0])
            print(f"{count:,} photos: {found[count]}", flush=True)
    write_text(arguments.out, page(found, arguments))
    return f"training_scale: {arguments.out}"


def _options(arguments: argparse.Namespace) -> str:
    return "--epochs {epochs} --threads {threads} --image-size {image_size}".format_map(
        vars(arguments)
    )


def page(found: dict[int, dict[str, Any]], arguments: argparse.Namespace) -> str:
    """Return the Markdown page."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    rows = {
        "leakage check, s": ("leakage", ".1f"),
        f"training of {arguments.epochs} epochs, s": ("training", ".1f"),
        "an epoch with its validation, s": ("epoch", ".1f"),
        "peak memory after the first epoch, MB": ("peak_first", ",.0f"),
        "peak memory after the last, MB": ("peak_last", ",.0f"),
        "peak memory of the GPU, MB": ("gpu", ",.0f"),
        "share of the training photos that an epoch decodes": ("decoded", ".2f"),
        "times a file of the validation split is decoded in all": ("classified", ".2f"),
    }
    table = markdown_table(
        ["", *(f"{count:,}" for count in found)],
        [
            [name, *(format(each[key], style) for each in found.values())]
            for name, (key, style) in rows.items()
        ],
    )
    return f"""# The cost of training with many photos

`python -m benchmarks.training_scale OUT {_options(arguments)}`; EfficientNet-Lite0,
batches of 128, synthetic photos of 480×360 pixels. {device}, {arguments.threads} decoding threads.

{table}
"""


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("out", type=Path, help="page to write")
parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of photos")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--threads", type=int, default=2, help="decoding threads")
parser.add_argument("--image-size", type=int, default=224, help="pixels of the network's squares")
parser.add_argument("--one", type=int, help=argparse.SUPPRESS)

if __name__ == "__main__":
    run(main, parser)
