"""Train and measure the classifier next to baselines; writes benchmarks/quality.md.

The folder needs panthera_photos/<Species>/ and other_felids/<Species>/ with photos.
"""

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from benchmarks.folders import Divided, divide, labeled
from benchmarks.harness import Recipe, interval, shifted, table
from benchmarks.ood_scores import fit_ood_scores
from benchmarks.shifts import SHIFTS
from benchmarks.tutorial_recipe import squashed, tutorial_fine_tune
from panthera_vision.cli.runner import run
from panthera_vision.data.taxonomy import folder_name
from panthera_vision.evaluation.calibration import calibration_metrics, risk_coverage
from panthera_vision.evaluation.ood import ood_detection_metrics
from panthera_vision.images.folders import photos_below
from panthera_vision.io.atomic import write_text
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.models.label_sets import own_classes
from panthera_vision.models.ood import OODHead
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.training.dataset import LabeledPhotos, TrainingData
from panthera_vision.training.trainer import fine_tune

PARAMETERS = Path(__file__).parent.parent / "cv-classification-dvc-pipeline" / "params.yaml"
TUTORIAL_EPOCHS = 6
OOD_SCORE = "**the OOD score of the checkpoint**"


def train_package(parameters: TrainParameters, data: Divided, name: str) -> tuple[Recipe, float]:
    """Train the package's recipe; returns it with the checkpoint's OOD threshold."""
    start = time.monotonic()
    model = fine_tune(parameters, TrainingData(data.class_names, data.train, data.validation))
    recipe = Recipe(name, model.classifier, model.preprocessing)
    recipe.minutes = (time.monotonic() - start) / 60
    recipe.validation_accuracy = model.training["validation_accuracy"]
    recipe.temperature = model.temperature
    assert model.ood_threshold is not None
    return recipe, model.ood_threshold


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


def untrained_recipe(parameters: TrainParameters, data: Divided) -> Recipe:
    """Return the pretrained network, whose head is ImageNet's rows of the species."""
    backbone = find_backbone(parameters.backbone, image_size=parameters.image_size)
    classifier = pretrained_classifier(backbone, data.class_names)
    preprocessing = backbone.preprocessing
    return Recipe("(b) pretrained ImageNet head, no fine-tuning", classifier, preprocessing)


def compare_recipes(recipes: Sequence[Recipe], data: Divided, unseen: LabeledPhotos | None) -> str:
    """Tabulate accuracy on the test photos, on shifted ones, and on a second source."""
    header = ["recipe", "minutes", "validation", "test", "shifted test", *SHIFTS]
    if unseen:
        header.append("unseen source")
    rows = []
    for recipe in recipes:
        shifts = np.stack([recipe.hits(data.test, shifted(name)) for name in SHIFTS], axis=1)
        row = [
            recipe.name,
            f"{recipe.minutes:.1f}",
            f"{recipe.validation_accuracy:.3f}",
            interval(recipe.hits(data.test)),
            interval(shifts),
            *(f"{accuracy:.3f}" for accuracy in shifts.mean(axis=0)),
        ]
        rows.append(row + ([interval(recipe.hits(unseen))] if unseen else []))
    return table(header, rows)


def calibration(recipe: Recipe, data: Divided) -> str:
    """Tabulate ECE, NLL and Brier score before and after temperature scaling."""
    logits = recipe.outputs(data.test.paths).logits.numpy()
    labels = np.asarray(data.test.labels)
    rows = []
    for label, temperature in (("uncalibrated", 1.0), ("calibrated", recipe.temperature)):
        probabilities = softmax(logits / temperature, axis=1)
        values = calibration_metrics(probabilities, labels)
        rows.append(
            [f"{label} (temperature {temperature:.3f})", *(f"{v:.4f}" for v in values.values())]
        )
    curve = risk_coverage(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)
    point = curve.at_accuracy(0.99)
    selective = (
        f"99% accuracy on the {point[1]:.1%} of test photos with a confidence of at least "
        f"{point[0]:.3f}."
        if point
        else "No threshold gives 99% accuracy on these test photos."
    )
    return table(["", "ECE (15 bins)", "NLL", "Brier"], rows) + "\n\n" + selective


def ood_detection(
    trained: Recipe,
    untrained: Recipe,
    data: Divided,
    sets: dict[str, Sequence[Path]],
    threshold: float,
) -> str:
    """Tabulate AUROC and FPR@95TPR of every OOD score, on the test photos against each set."""
    train, labels = data.train.paths, torch.tensor(data.train.labels)
    ood_head = untrained.classifier.ood_head
    assert isinstance(ood_head, OODHead)
    own_rows = own_classes("imagenet-1k", data.class_names)
    before = untrained.outputs(train)
    ood_head.fit(before.features, before.logits, labels, own_rows)
    fitted = fit_ood_scores(trained.outputs(train), labels.numpy(), ood_head.imagenet, own_rows)

    def scores(photos: Sequence[Path]) -> dict[str, np.ndarray]:
        outputs = trained.outputs(photos)
        untrained_scores = untrained.outputs(photos).ood_scores
        return {
            **{name: score(outputs) for name, score in fitted.items()},
            "the OOD score of the checkpoint, network before fine-tuning": untrained_scores.numpy(),
            OOD_SCORE: outputs.ood_scores.numpy(),
        }

    id_scores = scores(data.test.paths)
    ood_scores = {label: scores(photos) for label, photos in sets.items()}
    rows = []
    for name, own in id_scores.items():
        metrics = [ood_detection_metrics(own, others[name]) for others in ood_scores.values()]
        rows.append([name, *(f"{m['auroc']:.3f} / {m['fpr_at_95_tpr']:.3f}" for m in metrics)])
    header = ["score: AUROC / FPR@95%TPR", *(f"{k} ({len(v)})" for k, v in sets.items())]
    rates = [f"test photos (accepted) {(id_scores[OOD_SCORE] <= threshold).mean():.1%}"]
    rates += [
        f"{label} (rejected) {(others[OOD_SCORE] > threshold).mean():.1%}"
        for label, others in ood_scores.items()
    ]
    return table(header, rows) + f"\n\nAt the checkpoint's threshold: {', '.join(rates)}."


def other_taxa(parameters: TrainParameters, felids: Divided, panthera: Divided) -> str:
    """Train the same recipe on other species, and measure it."""
    recipe, threshold = train_package(parameters, felids, "other taxa")
    row = [
        ", ".join(f"*{name}*" for name in felids.class_names),
        str(len(felids.train.paths)),
        str(len(felids.test.paths)),
        f"{recipe.minutes:.1f}",
        interval(recipe.hits(felids.test)),
    ]
    ood = ood_detection(
        recipe,
        untrained_recipe(parameters, felids),
        felids,
        {"Panthera": panthera.test.paths},
        threshold,
    )
    return (
        table(["species", "train", "test", "minutes", "accuracy"], [row])
        + "\n\nWith the five *Panthera* as OOD photos:\n\n"
        + ood
    )


def main(arguments: argparse.Namespace) -> str:
    start = time.monotonic()
    torch.manual_seed(arguments.seed)
    parameters = read_parameters("train", TrainParameters, PARAMETERS).model_copy(
        update={"backbone": arguments.backbone, "seed": arguments.seed}
        | ({"epochs": arguments.epochs} if arguments.epochs else {})
    )
    data = divide(arguments.data / "panthera_photos", arguments.seed)
    other_felids = arguments.data / "other_felids"
    felids = divide(other_felids, arguments.seed)
    unseen = labeled(arguments.unseen, data.class_names) if arguments.unseen else None
    tutorial = train_tutorial(parameters, data)
    untrained = untrained_recipe(parameters, data)
    untrained.validation_accuracy = untrained.hits(data.validation).mean()
    package, threshold = train_package(parameters, data, "(c) this project")
    near = {name: photos_below(other_felids / folder_name(name)) for name in felids.class_names}
    sets: dict[str, Sequence[Path]] = {"other cats": photos_below(other_felids), **near}
    if arguments.far:
        sets["anything else"] = photos_below(arguments.far)
    parts = {
        "Recipes": compare_recipes([tutorial, untrained, package], data, unseen),
        "Calibration of (c)": calibration(package, data),
        "OOD detection (none of these)": ood_detection(package, untrained, data, sets, threshold),
        "Other taxa": other_taxa(parameters, felids, data),
    }
    minutes = (time.monotonic() - start) / 60
    write_text(arguments.out, page(parameters, data, parts, minutes))
    return f"quality: measured in {minutes:.1f} minutes; {arguments.out}"


def page(parameters: TrainParameters, data: Divided, parts: dict[str, str], minutes: float) -> str:
    """Return the page in Markdown; `parts` are sections by heading."""
    settings = ", ".join(f"{k} {v}" for k, v in parameters.model_dump().items())
    command = "python -m benchmarks.quality " + " ".join(sys.argv[1:])
    counts = ", ".join(
        f"{len(getattr(data, split).paths)} {split}" for split in ("train", "validation", "test")
    )
    head = f"""# Classifier quality

Written by `make benchmark-quality`.

- command: `{command}`
- photos: {counts}, random split within each species, seed {parameters.seed}
- machine: {platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}; \
{minutes:.0f} minutes in total
- recipe (c): {settings}

Intervals are 95% bootstrap intervals over photos. (a) is trained for {TUTORIAL_EPOCHS} epochs, \
(b) not at all. The shifted test applies six synthetic distribution shifts to the test photos \
(`benchmarks/shifts.py`). They predict accuracy on another source poorly, see \
[docs/recipe.md](../docs/recipe.md); `--unseen FOLDER` measures on real photos from elsewhere."""
    sections = [f"## {title}\n\n{body}" for title, body in parts.items()]
    return "\n\n".join([head, *sections]) + "\n"


parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
parser.add_argument("data", type=Path, help="folder with panthera_photos/ and other_felids/")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--unseen", type=Path, help="a second source: folder of <Species>/ folders")
parser.add_argument("--far", type=Path, help="folder of photos of anything but cats")
parser.add_argument(
    "--backbone",
    default="efficientnet_lite0",
)
parser.add_argument("--epochs", type=int, help="of (c); default: as in params.yaml")
parser.add_argument("--seed", type=int, default=17)

if __name__ == "__main__":
    run(main, parser)
