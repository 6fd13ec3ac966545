"""How good is the classifier? Trains and measures on folders of photos → benchmarks/quality.md.

The folder needs panthera_photos/<Species>/ and other_felids/<Species>/ with photos.
"""

import argparse
import platform
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from benchmarks.folders import Divided, divide, labelled
from benchmarks.harness import Recipe, interval, table
from benchmarks.ood_scores import scores
from benchmarks.shifts import SHIFTS
from benchmarks.tutorial_recipe import squashed, tutorial_fine_tune
from panthera_vision.cli.runner import run
from panthera_vision.data.taxonomy import folder_name
from panthera_vision.evaluation.calibration import calibration_metrics, risk_coverage
from panthera_vision.evaluation.ood import ood_detection_metrics
from panthera_vision.images.folders import photos_below
from panthera_vision.io.atomic import write_text
from panthera_vision.models.backbones import BACKBONES, IMAGENET_CLASS
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier
from panthera_vision.parameters import TrainParameters, read_parameters
from panthera_vision.training.dataset import LabeledPhotos
from panthera_vision.training.trainer import fine_tune

PARAMETERS = Path(__file__).parent.parent / "cv-classification-dvc-pipeline" / "params.yaml"
TUTORIAL_EPOCHS = 6


def train_ours(parameters: TrainParameters, data: Divided) -> tuple[TrainedModel, float]:
    """The default recipe, and the minutes that it took."""
    start = time.monotonic()
    model = fine_tune(parameters, data.class_names, data.train, data.validation)
    return model, (time.monotonic() - start) / 60


def recipes(parameters: TrainParameters, data: Divided) -> tuple[list[Recipe], TrainedModel]:
    """(a) the tutorial's, (b) ImageNet's head, (c) ours, trained on the same photos."""
    backbone = BACKBONES[parameters.backbone]
    preprocessing = backbone.preprocessing(parameters.image_size)
    start = time.monotonic()
    network, accuracy = tutorial_fine_tune(
        parameters.backbone,
        len(data.class_names),
        data.train,
        data.validation,
        epochs=TUTORIAL_EPOCHS,
        seed=parameters.seed,
    )
    tutorial = Recipe("(a) tutorial", network, lambda photo: squashed(preprocessing, photo))
    tutorial.minutes = (time.monotonic() - start) / 60
    tutorial.validation_accuracy = accuracy
    untrained = Recipe(
        "(b) ImageNet's head, untrained",
        pretrained_classifier(backbone, data.class_names),
        preprocessing,
    )
    untrained.validation_accuracy = untrained.hits(data.validation).mean()
    model, minutes = train_ours(parameters, data)
    ours = Recipe("(c) this project's", model.classifier, preprocessing)
    ours.minutes = minutes
    ours.validation_accuracy = model.training["validation_accuracy"]
    return [tutorial, untrained, ours], model


def compare_recipes(some: list[Recipe], data: Divided, unseen: LabeledPhotos | None) -> str:
    header = ["recipe", "minutes", "validation", "test", "shifted test", *SHIFTS]
    if unseen:
        header.append("unseen source")
    rows = []
    for recipe in some:
        shifted = np.stack([recipe.hits(data.test, shift) for shift in SHIFTS], axis=1)
        row = [
            recipe.name,
            f"{recipe.minutes:.1f}",
            f"{recipe.validation_accuracy:.3f}",
            interval(recipe.hits(data.test)),
            interval(shifted),
            *(f"{accuracy:.3f}" for accuracy in shifted.mean(axis=0)),
        ]
        rows.append(row + ([interval(recipe.hits(unseen))] if unseen else []))
    return table(header, rows)


def calibration(model: TrainedModel, recipe: Recipe, data: Divided) -> str:
    logits = recipe.outputs(list(data.test.paths)).logits.numpy()
    labels = np.asarray(data.test.labels)
    rows = []
    for label, temperature in (("as trained", 1.0), ("calibrated", model.temperature)):
        values = calibration_metrics(softmax(logits / temperature, axis=1), labels)
        rows.append(
            [f"{label} (temperature {temperature:.3f})", *(f"{v:.4f}" for v in values.values())]
        )
    calibrated = softmax(logits / model.temperature, axis=1)
    curve = risk_coverage(calibrated.max(axis=1), calibrated.argmax(axis=1) == labels)
    point = curve.at_accuracy(0.99)
    answered = (
        f"99% accuracy on the {point[1]:.1%} of test photos with a confidence of at least "
        f"{point[0]:.3f}."
        if point
        else "No threshold gives 99% accuracy on these test photos."
    )
    return table(["", "ECE (15 bins)", "NLL", "Brier"], rows) + "\n\n" + answered


def strangers(
    trained: Recipe, untrained: Recipe, data: Divided, sets: dict[str, list[Path]], threshold: float
) -> str:
    """AUROC and FPR@95%TPR of every score, on the test photos against each set of strangers."""
    train, labels = list(data.train.paths), torch.tensor(data.train.labels)
    known = untrained.outputs(train)
    ood_head = untrained.classifier.ood_head
    assert ood_head is not None
    ood_head.fit(known.features, labels)
    ours, before = (r.outputs(list(data.test.paths)) for r in (trained, untrained))
    own_rows = [IMAGENET_CLASS[n] for n in data.class_names if n in IMAGENET_CLASS]
    fitted = scores(trained.outputs(train), labels.numpy(), ood_head.imagenet, own_rows)
    by_name: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = {
        name: (score(ours), {}) for name, score in fitted.items()
    }
    untrained_name = "the checkpoint's score, network untrained"
    by_name[untrained_name] = (before.ood_scores.numpy(), {})
    chosen = "**the checkpoint's: distance from what ImageNet's head says of our photos**"
    by_name[chosen] = (ours.ood_scores.numpy(), {})
    kept = {"test photos (kept)": float((by_name[chosen][0] <= threshold).mean())}
    for label, photos in sets.items():
        theirs = trained.outputs(photos)
        for name, score in fitted.items():
            by_name[name][1][label] = score(theirs)
        by_name[chosen][1][label] = theirs.ood_scores.numpy()
        by_name[untrained_name][1][label] = untrained.outputs(photos).ood_scores.numpy()
        kept[f"{label} (told)"] = float((by_name[chosen][1][label] > threshold).mean())
    rows = []
    for name, (of_ours, of_others) in by_name.items():
        row = [name]
        for label in sets:
            both = ood_detection_metrics(of_ours, of_others[label])
            row.append(f"{both['auroc']:.3f} / {both['fpr_at_95_tpr']:.3f}")
        rows.append(row)
    header = ["score: AUROC / FPR@95%TPR", *(f"{k} ({len(v)})" for k, v in sets.items())]
    told = ", ".join(f"{label} {share:.1%}" for label, share in kept.items())
    return table(header, rows) + f"\n\nAt the checkpoint's threshold: {told}."


def main(arguments: argparse.Namespace) -> str:
    start = time.monotonic()
    torch.manual_seed(arguments.seed)
    parameters = read_parameters("train", TrainParameters, PARAMETERS).model_copy(
        update={"backbone": arguments.backbone, "seed": arguments.seed}
        | ({"epochs": arguments.epochs} if arguments.epochs else {})
    )
    data = divide(arguments.data / "panthera_photos", arguments.seed)
    felids = divide(arguments.data / "other_felids", arguments.seed)
    unseen = labelled(arguments.unseen, data.class_names) if arguments.unseen else None
    some, model = recipes(parameters, data)
    _, untrained, ours = some
    near = {
        name: photos_below(arguments.data / "other_felids" / folder_name(name))
        for name in felids.class_names
    }
    sets = {"other cats": [path for photos in near.values() for path in photos], **near}
    if arguments.far:
        sets["anything else"] = photos_below(arguments.far)
    threshold = model.ood_threshold
    assert threshold is not None
    parts = [
        ("Recipes", compare_recipes(some, data, unseen)),
        ("Calibration of (c)", calibration(model, ours, data)),
        ("None of these", strangers(ours, untrained, data, sets, threshold)),
    ]
    other_model, minutes = train_ours(parameters, felids)
    preprocessing = other_model.preprocessing
    other = Recipe("default recipe", other_model.classifier, preprocessing)
    bare = Recipe(
        "untrained",
        pretrained_classifier(BACKBONES[parameters.backbone], felids.class_names),
        preprocessing,
    )
    assert other_model.ood_threshold is not None
    taxa = (
        table(
            ["species", "train", "test", "minutes", "accuracy"],
            [
                [
                    ", ".join(f"*{name}*" for name in felids.class_names),
                    str(len(felids.train.paths)),
                    str(len(felids.test.paths)),
                    f"{minutes:.1f}",
                    interval(other.hits(felids.test)),
                ]
            ],
        )
        + "\n\nWith the five *Panthera* as strangers:\n\n"
        + strangers(
            other,
            bare,
            felids,
            {"Panthera": list(data.test.paths)},
            other_model.ood_threshold,
        )
    )
    parts.append(("Other taxa", taxa))
    minutes_in_all = (time.monotonic() - start) / 60
    write_text(arguments.out, page(parameters, data, parts, minutes_in_all, unseen is not None))
    return f"quality: measured in {minutes_in_all:.1f} minutes; {arguments.out}"


def page(
    parameters: TrainParameters,
    data: Divided,
    parts: list[tuple[str, str]],
    minutes: float,
    with_unseen: bool,
) -> str:
    settings = ", ".join(f"{k} {v}" for k, v in parameters.model_dump().items())
    command = "python -m benchmarks.quality " + " ".join(sys.argv[1:])
    counts = ", ".join(
        f"{len(getattr(data, split).paths)} {split}" for split in ("train", "validation", "test")
    )
    text = [
        "# How good is the classifier?",
        "",
        "Written by `make benchmark-quality`.",
        "",
        f"- command: `{command}`",
        f"- photos: {counts}, divided at random within each species with seed {parameters.seed}",
        f"- machine: {platform.machine()}, {torch.get_num_threads()} threads, PyTorch "
        f"{torch.__version__}; {minutes:.0f} minutes in all",
        f"- recipe (c): {settings}",
        "",
        "Intervals are 95% bootstrap intervals over photos. (a) is trained for "
        f"{TUTORIAL_EPOCHS} epochs; (b) not at all. The shifted test is the same test photos "
        "changed in six ways (`benchmarks/shifts.py`)"
        + (
            "."
            if with_unseen
            else ", a stand-in for another source of photos; with one at hand, `--unseen FOLDER` "
            "measures on it."
        ),
    ]
    for title, body in parts:
        text += ["", f"## {title}", "", body]
    return "\n".join(text) + "\n"


parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
parser.add_argument("data", type=Path, help="folder with panthera_photos/ and other_felids/")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--unseen", type=Path, help="a second source: folder of <Species>/ folders")
parser.add_argument("--far", type=Path, help="folder of photos of anything but cats")
parser.add_argument("--backbone", default="efficientnet_lite0", choices=sorted(BACKBONES))
parser.add_argument("--epochs", type=int, help="of (c); as in params.yaml where not given")
parser.add_argument("--seed", type=int, default=17)

if __name__ == "__main__":
    run(main, parser)
