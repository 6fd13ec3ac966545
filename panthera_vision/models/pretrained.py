"""The pretrained network as a model: ImageNet's own head for the allowed species, no training.

It answers before the first training. Temperature and OOD threshold were measured once, on photos
of the five species of *Panthera*, by `python -m benchmarks.pretrained DATA`, which also measured
its accuracy on photos from another source: benchmarks/pretrained.md.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from panthera_vision.data.taxonomy import (
    COMMON_NAMES,
    accepted_name,
    is_binomial,
    species_with_common_name,
)
from panthera_vision.errors import UserError, list_names
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel, load_checkpoint
from panthera_vision.models.classifier import Classifier, pretrained_classifier
from panthera_vision.models.label_sets import species_rows
from panthera_vision.models.ood import OODHead

BACKBONE = "efficientnet_lite0"
IMAGE_SIZE = 224
PANTHERA = (
    "Panthera leo",
    "Panthera onca",
    "Panthera pardus",
    "Panthera tigris",
    "Panthera uncia",
)
# Fitted on panthera_photos: the temperature on all photos, the threshold so that 98% are accepted.
# It refuses a photo if ImageNet's head gives no allowed species 22% of the probability of its
# thousand classes.
TEMPERATURE = 0.853
OOD_THRESHOLD = 0.753

_FINGERPRINT_PREFIX = "pretrained-"
_UNKNOWN = "unknown_species"


@dataclass(frozen=True)
class MeasuredAccuracy:
    """Hold the accuracy on photos of the five species from a second source, with 95% interval."""

    photos: int
    accuracy: float
    low: float
    high: float


# On second_source, of which nothing was fitted.
MEASURED = MeasuredAccuracy(photos=512, accuracy=0.941, low=0.922, high=0.961)


def pretrained_model(species: Sequence[str] | None = None) -> TrainedModel:
    """Build the model that needs no training: the rows of ImageNet's head for some species.

    The OOD score is the negative logarithm of the highest ImageNet probability of an allowed
    species (Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution
    Examples in Neural Networks", ICLR 2017), halved: a class mean of the OOD head that is
    certain of one ImageNet class gives just that. It needs no photos of the species, so the
    threshold holds for any of them.

    Args:
        species: those to distinguish, scientific or common names; the five *Panthera* by default.
            Those that ImageNet has no class for are left out; `unknown_species` lists them.

    Returns:
        A model with a fingerprint that begins with "pretrained-".

    Raises:
        UserError: a name is not that of a species, or ImageNet has none of them.
    """
    names = _species_names(PANTHERA if species is None else species)
    backbone = find_backbone(BACKBONE, image_size=IMAGE_SIZE)
    rows = species_rows(backbone.labels)
    known = tuple(name for name in names if name in rows)
    unknown = tuple(name for name in names if name not in rows)
    if not known:
        cats = sorted(name for name in COMMON_NAMES if name in rows)
        raise UserError(
            f"the pretrained network knows none of {list_names(names)}; it knows "
            f"{list_names(cats)} and other animals of ImageNet. Train a model for other species"
        )
    classifier = pretrained_classifier(backbone, known).eval()
    _set_ood_head(classifier, [rows[name] for name in known])
    return TrainedModel(
        classifier=classifier,
        backbone=backbone,
        class_names=known,
        preprocessing=backbone.preprocessing,
        temperature=TEMPERATURE,
        ood_threshold=OOD_THRESHOLD,
        training={_UNKNOWN: list(unknown)},
        fingerprint=_fingerprint(classifier, known),
    )


def load_model_or_pretrained(
    path: Path | None, species: Sequence[str] | None = None
) -> TrainedModel:
    """Load the checkpoint at `path`, or build the pretrained model if `path` is None.

    Raises:
        UserError: see `load_checkpoint` and `pretrained_model`; or both arguments are given.
    """
    if path is None:
        return pretrained_model(species)
    if species is not None:
        raise UserError(
            f"the species can be chosen for the pretrained network only; {path} has classes of "
            "its own"
        )
    return load_checkpoint(path)


def is_pretrained(model: TrainedModel) -> bool:
    """Return whether the model was not trained, but comes from `pretrained_model`."""
    return model.fingerprint.startswith(_FINGERPRINT_PREFIX)


def unknown_species(model: TrainedModel) -> tuple[str, ...]:
    """Return the species that were asked for and that the pretrained network does not know."""
    return tuple(model.training[_UNKNOWN]) if is_pretrained(model) else ()


def measured_accuracy(model: TrainedModel) -> MeasuredAccuracy | None:
    """Return the accuracy of the pretrained model; None for other species than were measured."""
    return MEASURED if is_pretrained(model) and set(model.class_names) == set(PANTHERA) else None


def describe_model(model: TrainedModel) -> str:
    """Return in one line what answers: "trained" with its accuracy, or "pretrained" and why."""
    if not is_pretrained(model):
        accuracy = model.training.get("validation_accuracy")
        measured = f", validation accuracy {accuracy:.3f}" if isinstance(accuracy, float) else ""
        drawn = ", on synthetic pictures only" if model.training.get("synthetic_photos") else ""
        return (
            f"{model.backbone.name}, trained on {len(model.class_names)} species{drawn}{measured}"
        )
    accuracy = measured_accuracy(model)
    found = (
        f"accuracy {accuracy.accuracy:.3f} ({accuracy.low:.3f}–{accuracy.high:.3f}) on "
        f"{accuracy.photos} photos from elsewhere"
        if accuracy
        else "accuracy not measured for these species"
    )
    text = f"{model.backbone.name}, pretrained, not trained on your photos; {found}"
    if unknown := unknown_species(model):
        text += f"; unknown to it: {list_names(unknown)}"
    return text


def _species_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return accepted scientific names, each once."""
    accepted = []
    for name in [names] if isinstance(names, str) else names:
        scientific = accepted_name(species_with_common_name(name) or name)
        if not is_binomial(scientific):
            raise UserError(f"{name!r} is not a species name such as 'Panthera leo'")
        accepted.append(scientific)
    return tuple(dict.fromkeys(accepted))


def _set_ood_head(classifier: Classifier, rows: Sequence[int]) -> None:
    """Set the class means to certainty of one ImageNet class each."""
    ood_head = classifier.ood_head
    assert isinstance(ood_head, OODHead)
    ood_head.class_means.zero_()
    ood_head.class_means[torch.arange(len(rows)), torch.tensor(rows)] = 1


def _fingerprint(classifier: Classifier, names: Sequence[str]) -> str:
    """Return a name that differs with the weights, the species and the calibration."""
    content = hashlib.sha256(classifier.head.weight.detach().numpy().tobytes())
    content.update(repr((names, TEMPERATURE, OOD_THRESHOLD, IMAGE_SIZE)).encode())
    return f"{_FINGERPRINT_PREFIX}{BACKBONE}-{content.hexdigest()[:12]}"
