"""What each part of the recipe is worth: the same training with one thing changed → a table.

The folder holds <Species>/ folders with photos. A row takes a quarter of an hour of two cores for
a thousand photos and twelve epochs.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.folders import Divided, divide
from benchmarks.harness import Recipe, interval, table
from benchmarks.quality import PARAMETERS
from benchmarks.shifts import SHIFTS
from panthera_vision.cli.runner import run
from panthera_vision.evaluation.ood import ood_detection_metrics
from panthera_vision.images.folders import photos_below
from panthera_vision.io.atomic import write_text
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.training.trainer import fine_tune

VARIANTS: dict[str, dict[str, float]] = {
    "the recipe": {},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "milder crops and colour": {"min_crop_scale": 0.35, "color_jitter": 0.3},
    "never from farther away": {"zoom_out": 0.0},
    "neither": {"min_crop_scale": 0.35, "color_jitter": 0.3, "zoom_out": 0.0},
    "half the learning rates": {"backbone_learning_rate": 1e-4, "head_learning_rate": 5e-4},
    "one learning rate, 0.001": {"backbone_learning_rate": 1e-3},
    "no moving average": {"ema_decay": 0.0},
    "a new head": {},
}
NEW_HEAD = "a new head"


def measure(
    name: str, parameters: TrainParameters, data: Divided, strangers: list[Path]
) -> list[str]:
    start = time.monotonic()
    # Names that ImageNet does not have get rows at random, and no competitors.
    names = tuple(f"Genus {n}" for n in data.class_names) if name == NEW_HEAD else data.class_names
    model = fine_tune(parameters, names, data.train, data.validation)
    minutes = (time.monotonic() - start) / 60
    recipe = Recipe(name, model.classifier, model.preprocessing)
    shifted = np.stack([recipe.hits(data.test, shift) for shift in SHIFTS], axis=1)
    ours = recipe.outputs(list(data.test.paths)).ood_scores.numpy()
    theirs = recipe.outputs(strangers).ood_scores.numpy()
    return [
        name,
        interval(recipe.hits(data.test)),
        interval(shifted),
        f"{ood_detection_metrics(ours, theirs)['auroc']:.3f}",
        f"{minutes:.1f}",
    ]


def main(arguments: argparse.Namespace) -> str:
    parameters = read_parameters("train", TrainParameters, PARAMETERS).model_copy(
        update={"backbone": arguments.backbone, "seed": arguments.seed, "epochs": arguments.epochs}
    )
    data = divide(arguments.data, arguments.seed)
    strangers = photos_below(arguments.strangers)
    rows = []
    for name in arguments.only or VARIANTS:
        changed = parameters.model_copy(update=VARIANTS[name])
        rows.append(measure(name, changed, data, strangers))
        header = ["", "test", "shifted test", "AUROC, strangers", "minutes"]
        # Each row is half an evening's work for some machine: written as it comes.
        write_text(arguments.out, table(header, rows) + "\n")
    return f"ablation: {len(rows)} trainings of {parameters.epochs} epochs; {arguments.out}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
parser.add_argument("data", type=Path, help="folder of <Species>/ folders")
parser.add_argument("strangers", type=Path, help="folder of photos of other animals")
parser.add_argument("out", type=Path, help="the table to write, in Markdown")
parser.add_argument("--only", nargs="+", choices=sorted(VARIANTS), help="only these rows")
parser.add_argument("--backbone", default="efficientnet_lite0", choices=sorted(BACKBONES))
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--seed", type=int, default=17)

if __name__ == "__main__":
    run(main, parser)
