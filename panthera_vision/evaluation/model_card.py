"""MODEL_CARD.md: what the model is, what it was trained on, how good it is, and what it is not for.

After Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from panthera_vision import __version__
from panthera_vision.data.photo_table import count_synthetic
from panthera_vision.data.splits import split_report
from panthera_vision.models.checkpoint import TrainedModel

# Codes that forbid commercial use; no code at all is "all rights reserved".
_NON_COMMERCIAL = "nc"
_SHOWN_CONFUSIONS = 5


def model_card(
    model: TrainedModel,
    photos: pd.DataFrame,
    test: pd.DataFrame,
    logits: np.ndarray,
    metrics: Mapping[str, float],
    certainty: Mapping[str, Any],
) -> str:
    """The card as Markdown.

    Args:
        model: the checkpoint that was evaluated.
        photos: rows of `photos.csv`, of all splits.
        test: those of the test split, N of them.
        logits: (N, classes), of the test photos.
        metrics: the headline figures of the test photos.
        certainty: intervals, calibration, none-of-these figures.
    """
    names = list(model.class_names)
    actual = test["species"].map(names.index).to_numpy()
    predicted = logits.argmax(axis=1)
    sections = (
        _title(model, photos),
        _use(names),
        _data(photos),
        _licences(photos),
        _metrics(metrics, certainty),
        _by_species(actual, predicted, names),
        _limits(actual, predicted, names, certainty, photos),
        _use_from_code(),
        _citation(model),
    )
    return "\n\n".join(sections) + "\n"


def _title(model: TrainedModel, photos: pd.DataFrame) -> str:
    lines = [
        f"# Model card: {', '.join(model.class_names)}",
        "",
        f"An image classifier of {len(model.class_names)} species: `{model.backbone}`, pretrained "
        f"on ImageNet-1k and fine-tuned at {model.preprocessing.image_size} pixels by Panthera "
        f"Vision {__version__}.",
        "",
        f"- checkpoint: `{model.fingerprint}` (SHA-256 of the file)",
        f"- data: `{model.data_fingerprint}` (photos, species and splits)",
        f"- kept epoch: {model.training.get('epoch', '?')} of "
        f"{model.parameters.get('epochs', '?')}, seed {model.parameters.get('seed', '?')}",
    ]
    if count_synthetic(photos):
        lines += [
            "",
            f"**{count_synthetic(photos)} of the photos are synthetic drawings (the demo set). "
            "Nothing that is said here holds for real photos.**",
        ]
    return "\n".join(lines)


def _use(names: list[str]) -> str:
    return f"""## What it is for

Naming the species on a photo that shows one of {", ".join(f"*{name}*" for name in names)}, and
declining where it shows none of them: sorting photo collections, finding wrong labels, teaching.
The answer is a suggestion with a calibrated probability for a person to check.

Not for: decisions about people's safety or about single animals without a person's look; telling
individuals, sexes or subspecies apart; counting animals; anything commercial (see Licences)."""


def _data(photos: pd.DataFrame) -> str:
    report = split_report(photos)
    species = sorted(photos["species"].unique())
    rows = [
        f"| {split} | " + " | ".join(str(report[split].get(name, 0)) for name in species) + " |"
        for split in report
    ]
    observers = photos.loc[photos["observer"] != "", "observer"].nunique()
    dates = photos.loc[photos["observed_on"] != "", "observed_on"]
    span = f", observed from {dates.min()} to {dates.max()}" if len(dates) else ""
    return "\n".join(
        [
            "## Data",
            "",
            f"{len(photos)} photos by {observers} named observers{span}. All photos of one "
            "observer on one day are in the same split, so that no test photo shows a scene "
            "that was trained on.",
            "",
            "| split | " + " | ".join(f"*{name}*" for name in species) + " |",
            "| --- |" + " ---: |" * len(species),
            *rows,
        ]
    )


def _licences(photos: pd.DataFrame) -> str:
    counts = photos["license"].replace("", "none: all rights reserved").value_counts()
    restricted = int(
        counts[
            [
                not name or _NON_COMMERCIAL in name.lower() or name.startswith("none")
                for name in counts.index
            ]
        ].sum()
    )
    consequence = (
        f"{restricted} of {len(photos)} photos may not be used commercially. The weights are "
        "derived from them: take the model for non-commercial use only, and credit the "
        "photographers (CREDITS.csv lists each photo with its author and licence)."
        if restricted
        else "No photo's licence forbids commercial use; credit the photographers "
        "(CREDITS.csv lists each photo with its author and licence)."
    )
    return "\n".join(
        [
            "## Licences",
            "",
            consequence,
            "",
            "| licence of the photo | photos |",
            "| --- | ---: |",
            *(f"| {name} | {count} |" for name, count in counts.items()),
        ]
    )


def _metrics(metrics: Mapping[str, float], certainty: Mapping[str, Any]) -> str:
    lines = [
        "## Metrics",
        "",
        f"On {metrics['photos']} test photos that neither training nor calibration has seen, with "
        "95% bootstrap intervals over observers' days.",
        "",
        "| metric | value | 95% interval |",
        "| --- | ---: | ---: |",
    ]
    for name, interval in certainty["interval_95"].items():
        lines.append(
            f"| {name.replace('_', ' ')} | {metrics[name]:.3f} | "
            f"{interval['low']:.3f} to {interval['high']:.3f} |"
        )
    lines += [
        "",
        f"Calibration (temperature {certainty['temperature']:.3f}, fitted on validation photos):",
        "",
        "| | ECE (15 bins) | negative log-likelihood | Brier score |",
        "| --- | ---: | ---: | ---: |",
    ]
    for label, key in (("as trained", "uncalibrated"), ("calibrated", "calibrated")):
        values = certainty[key]
        lines.append(
            f"| {label} | {values['ece']:.3f} | {values['negative_log_likelihood']:.3f} | "
            f"{values['brier_score']:.3f} |"
        )
    selective = certainty.get("selective")
    lines += [
        "",
        f"Answering only where the confidence is at least {selective['threshold']:.3f} gives "
        f"{selective['accuracy']:.0%} accuracy on {selective['coverage']:.0%} of the photos."
        if selective
        else "No confidence threshold gives 99% accuracy on these photos.",
    ]
    return "\n".join(lines)


def _by_species(actual: np.ndarray, predicted: np.ndarray, names: list[str]) -> str:
    precision, recall, f1, support = precision_recall_fscore_support(
        actual, predicted, labels=range(len(names)), zero_division=0.0
    )
    return "\n".join(
        [
            "| species | precision | recall | F1 | photos |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(
                f"| *{name}* | {p:.3f} | {r:.3f} | {f:.3f} | {n} |"
                for name, p, r, f, n in zip(names, precision, recall, f1, support, strict=True)
            ),
        ]
    )


def _limits(
    actual: np.ndarray,
    predicted: np.ndarray,
    names: list[str],
    certainty: Mapping[str, Any],
    photos: pd.DataFrame,
) -> str:
    counts = confusion_matrix(actual, predicted, labels=range(len(names)))
    np.fill_diagonal(counts, 0)
    worst = np.argsort(-counts, axis=None, kind="stable")[:_SHOWN_CONFUSIONS]
    pairs = [(int(n) // len(names), int(n) % len(names)) for n in worst]
    confusions = [
        f"- *{names[true]}* taken for *{names[named]}*: {counts[true, named]} of "
        f"{int((actual == true).sum())} test photos"
        for true, named in pairs
        if counts[true, named]
    ]
    lines = ["## Known failures", "", *(confusions or ["No test photo was mistaken."])]
    lines.append(
        "- Labels are what observers agreed on; some are wrong, in training and test alike "
        "(`label_review.csv` lists suspects)."
    )
    lines.append(
        "- Photos from other sources (camera traps at night, museum specimens, drawings, animals "
        "far away) may do worse than the test photos, which come from the training's own source."
    )
    none = certainty.get("ood")
    if none:
        lines.append(
            f'- The model answers "none of these" above a score of {none["threshold"]:.2f}; '
            f"{none['id_acceptance_rate']:.1%} of the test photos stay below it, as they should."
            + (
                f" Of {none['other_photos']} photos of anything else, "
                f"{none['ood_detection_rate']:.1%} were told (AUROC {none['auroc']:.3f})."
                if "auroc" in none
                else " It was not measured on photos of anything else (`evaluate.other_photos`)."
            )
            + " Look-alikes that it never saw, such as other spotted cats, still slip through."
        )
    smallest = photos["species"].value_counts()
    lines.append(
        f"- The rarest species in the data is *{smallest.index[-1]}* with {smallest.iloc[-1]} "
        "photos; figures by species rest on few test photos."
    )
    return "\n".join(lines)


def _use_from_code() -> str:
    return """## How to use it

`python src/predict.py PHOTOS… --out predictions.csv`, the web app, or the exported ONNX file. The
checkpoint holds the preprocessing, the class names, the temperature and the threshold."""


def _citation(model: TrainedModel) -> str:
    return f"""## How to cite

Panthera Vision, version {__version__}, model {model.fingerprint[:12]}. The photos: iNaturalist
contributors, cited one by one in CREDITS.csv; iNaturalist, https://www.inaturalist.org. The
backbone: Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021, or
"EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019 (Lite)."""
