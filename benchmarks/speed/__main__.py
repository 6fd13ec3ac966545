"""Measure speed and memory against common baselines; `make benchmark-speed`.

python -m benchmarks.speed ../shared/data/panthera_photos benchmarks/speed.md
"""

import argparse
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.speed import (
    accuracy,
    decoding,
    downloading,
    inference,
    memory,
    numerical_agreement,
    training,
)
from benchmarks.speed.networks import NETWORKS
from panthera_vision.batch.input_files import find_photos
from panthera_vision.inference.optimized import has_fast_bf16
from panthera_vision.inference.predictor import default_device
from panthera_vision.io.atomic import write_text


def machine() -> str:
    """Describe the hardware and the PyTorch version."""
    device = default_device()
    if device.type == "cuda":
        computes = torch.cuda.get_device_name(device)
    else:
        name = torch.cpu.get_capabilities().get("cpu_name") or platform.machine()
        computes = f"{torch.get_num_threads()} threads of {name}"
    bf16 = "with" if has_fast_bf16(device) else "without"
    return f"{computes}, {bf16} hardware bfloat16; PyTorch {torch.__version__}"


def matrix_limit(number_type: torch.dtype) -> float:
    """Measure billions of operations per second in a large matrix product, the practical peak."""
    device = default_device()
    size = 2048
    matrix = torch.rand(size, size, device=device, dtype=number_type)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        (matrix @ matrix)[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def main(arguments: argparse.Namespace) -> None:
    found = find_photos([arguments.photos]).photos
    photos = found[:: max(1, len(found) // arguments.count)][: arguments.count]
    names = arguments.backbone or list(NETWORKS)
    sections: dict[str, Callable[[], str]] = {
        "inference": lambda: "\n\n".join(
            [
                "## Inference from files",
                *(inference.section(name, photos, arguments.turns) for name in names),
                "A large matrix product reaches "
                f"{matrix_limit(torch.float32):.0f} billion operations per second in "
                f"float32 and {matrix_limit(torch.bfloat16):.0f} in bfloat16.",
            ]
        ),
        "numerical_agreement": lambda: (
            "### Accuracy in bfloat16\n\n" + numerical_agreement.section(arguments.photos)
        ),
        "decoding": lambda: "### Camera JPEGs\n\n" + decoding.section(photos),
        "training": lambda: (
            "## Training\n\n"
            + training.section(names, photos[: arguments.training_count], arguments.turns)
        ),
        "accuracy": lambda: (
            "### Time to accuracy\n\n" + accuracy.section(arguments.photos, arguments.epochs)
        ),
        "download": lambda: (
            "## Download\n\n"
            + downloading.section(found[::12], arguments.downloads, arguments.turns)
        ),
        "memory": lambda: "## Memory\n\n" + memory.section(),
    }
    parts = [
        "# Speed benchmarks",
        f"`make benchmark-speed`, {len(photos)} photos, {arguments.turns} rounds, median of the "
        f"ratios per round. {machine()}. EfficientNetV2-S with random weights (seed 0) and "
        "batch-norm statistics of the photos; Lite0 with ImageNet's weights. Each variant runs in "
        "its own process, interleaved with the others.",
    ]
    began = time.monotonic()
    for name, section in sections.items():
        if arguments.only and name not in arguments.only:
            continue
        parts.append(section())
        print(parts[-1] + "\n", flush=True)
    parts.append(f"Total time: {(time.monotonic() - began) / 60:.0f} minutes.")
    write_text(arguments.report, "\n\n".join(parts) + "\n")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photos", type=Path, help="a folder of photos, in one folder for each species")
parser.add_argument("report", type=Path, help="the Markdown file to write")
parser.add_argument("--count", type=int, default=64, help="photos to classify per round")
parser.add_argument("--training-count", type=int, default=64, help="photos to train on per round")
parser.add_argument("--epochs", type=int, default=2, help="of the time-to-accuracy training")
parser.add_argument("--downloads", type=int, default=1000, help="photos per round")
parser.add_argument("--turns", type=int, default=3, help="measured rounds")
parser.add_argument("--only", action="append", help="only this section, such as download")
parser.add_argument("--backbone", action="append", choices=NETWORKS, help="only this one")

if __name__ == "__main__":
    main(parser.parse_args())
