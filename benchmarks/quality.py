"""Train the classifier beside its baselines and measure it on a second source of photos.

The folder needs panthera_photos/, second_source/ and other_felids/, each with <Species>/ folders.
Writes benchmarks/quality.md.
"""

import argparse
import platform
import sys
import time
from pathlib import Path

import torch

from benchmarks import quality_tables as tables
from benchmarks.folders import Divided, divide, labeled, species_below
from benchmarks.harness import Recipe
from benchmarks.quality_tables import Photos, Training
from benchmarks.tutorial_recipe import squashed, tutorial_fine_tune
from panthera_vision.cli.runner import run
from panthera_vision.images.folders import photos_below
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.io.atomic import write_text
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.training.dataset import TrainingData
from panthera_vision.training.trainer import fine_tune

PARAMETERS = Path(__file__).parent.parent / "cv-classification-dvc-pipeline" / "params.yaml"
TUTORIAL_EPOCHS = 6
SEEDS = (17, 18)


def train_package(parameters: TrainParameters, data: Divided, name: str) -> Training:
    """Train the package's recipe."""
    start = time.monotonic()
    model = fine_tune(parameters, TrainingData(data.class_names, data.train, data.validation))
    recipe = Recipe(name, model.classifier, model.preprocessing)
    recipe.minutes = (time.monotonic() - start) / 60
    recipe.validation_accuracy = model.training["validation_accuracy"]
    recipe.temperature = model.temperature
    assert model.ood_threshold is not None
    return Training(recipe, data, model.ood_threshold, model.training["weight_interpolation"])


def train_tutorial(parameters: TrainParameters, data: Divided) -> Recipe:
    """Train the tutorial's recipe."""
    backbone = find_backbone(parameters.backbone, image_size=parameters.image_size)
    preprocessing = backbone.preprocessing
    start = time.monotonic()
    network, accuracy = tutorial_fine_tune(
        parameters.backbone,
        len(data.class_names),
        data.train,
        data.validation,
        epochs=TUTORIAL_EPOCHS,
        seed=parameters.seed,
    )
    recipe = Recipe("(a) tutorial", network, lambda photo: squashed(preprocessing, photo))
    recipe.minutes = (time.monotonic() - start) / 60
    recipe.validation_accuracy = accuracy
    return recipe


def untrained_recipe(backbone_name: str, class_names: tuple[str, ...], name: str) -> Recipe:
    """Return the pretrained network, whose head is ImageNet's rows of the species."""
    backbone = find_backbone(backbone_name)
    classifier = pretrained_classifier(backbone, class_names)
    return Recipe(name, classifier, backbone.preprocessing)


def compare_backbones(
    arguments: argparse.Namespace, parameters: TrainParameters, data: Divided, source: Photos
) -> str:
    """Measure other backbones at their native sizes, before and, if asked for, after training."""
    names = [arguments.backbone, *arguments.backbones]
    untrained = [untrained_recipe(name, data.class_names, name) for name in names]
    trained: dict[str, Recipe] = {}
    for name in arguments.backbones if arguments.train_backbones else ():
        chosen = parameters.model_copy(update={"backbone": name})
        trained[name] = train_package(chosen, data, name).recipe
    return tables.compare_backbones(untrained, trained, source)


def main(arguments: argparse.Namespace) -> str:
    configure_process()
    start = time.monotonic()
    torch.manual_seed(SEEDS[0])
    parameters = read_parameters("train", TrainParameters, PARAMETERS).model_copy(
        update={"backbone": arguments.backbone, "seed": SEEDS[0]}
        | ({"epochs": arguments.epochs} if arguments.epochs else {})
    )
    splits = [divide(arguments.data / "panthera_photos", seed) for seed in SEEDS]
    names = splits[0].class_names
    source = Photos("second source", labeled(arguments.data / "second_source", names))
    felids = arguments.data / "other_felids"
    others = Photos("other cats", labeled(felids, species_below(felids)), species_below(felids))
    far = photos_below(arguments.far) if arguments.far else None

    untrained = untrained_recipe(
        arguments.backbone, names, "(b) pretrained ImageNet head, no fine-tuning"
    )
    tutorial = train_tutorial(parameters, splits[0])
    trainings = [
        train_package(
            parameters.model_copy(update={"seed": seed}), data, f"(c) this project, seed {seed}"
        )
        for seed, data in zip(SEEDS, splits, strict=True)
    ]
    parts = {
        "Accuracy": tables.compare_recipes(tutorial, untrained, trainings, source),
        "Differences on the second source": tables.differences(
            tutorial, untrained, trainings, source
        ),
        "Calibration": tables.calibration(trainings, source),
        "None of these (OOD detection)": tables.refusals(trainings, source, others, far),
        "OOD scores": tables.ood_scores(trainings[0], source, others),
        "Several photos of one encounter": tables.encounters(trainings, source),
        "Backbones at their native sizes": compare_backbones(
            arguments, parameters, splits[0], source
        ),
    }
    minutes = (time.monotonic() - start) / 60
    write_text(arguments.out, page(parameters, splits[0], parts, minutes))
    return f"quality: measured in {minutes:.1f} minutes; {arguments.out}"


def page(parameters: TrainParameters, data: Divided, parts: dict[str, str], minutes: float) -> str:
    """Return the page in Markdown; `parts` are sections by heading."""
    settings = ", ".join(
        f"{key} {value}" for key, value in parameters.model_dump().items() if key != "seed"
    )
    command = "python -m benchmarks.quality " + " ".join(sys.argv[1:])
    counts = ", ".join(
        f"{len(getattr(data, split).paths)} {split}" for split in ("train", "validation", "test")
    )
    head = f"""# Classifier quality

Written by `make benchmark-quality`.

- command: `{command}`
- photos of panthera_photos: {counts}, split at random within each species, anew for each seed; \
second_source is never trained on
- machine: {platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}; \
{minutes:.0f} minutes in total
- recipe (c): {settings}

Intervals are 95% bootstrap intervals over photos; means over trainings are resampled by photo. \
(a) is trained for {TUTORIAL_EPOCHS} epochs on the split of seed {SEEDS[0]}, (b) not at all. The \
recipe was chosen on second_source ([docs/recipe.md](../docs/recipe.md)), so expect a little less \
on photos from a third source."""
    sections = [f"## {title}\n\n{body}" for title, body in parts.items()]
    return "\n\n".join([head, *sections]) + "\n"


parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
parser.add_argument("data", type=Path, help="folder with the three folders of photos")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--far", type=Path, help="folder of photos of anything but cats")
parser.add_argument("--backbone", default="efficientnet_lite0")
parser.add_argument(
    "--backbones",
    nargs="*",
    default=["efficientnet_lite1", "efficientnet_lite2"],
    help="others to compare with; default: %(default)s",
)
parser.add_argument(
    "--train-backbones",
    action="store_true",
    help="train each of them, too",
)
parser.add_argument("--epochs", type=int, help="of (c); default: as in params.yaml")

if __name__ == "__main__":
    run(main, parser)
