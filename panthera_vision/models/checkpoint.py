"""Save and load checkpoints (best_model.pth): weights, classes, preprocessing, calibration."""

import pickle
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write, sha256_of_file
from panthera_vision.models.architecture import Architecture, split
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.checkpoint_schema import (
    CheckpointSchema,
    reject_zip_bomb,
    upgrade_checkpoint,
    validate_checkpoint,
)
from panthera_vision.models.classifier import Classifier, empty_classifier
from panthera_vision.models.ood import OODHead
from panthera_vision.models.preprocessing import Preprocessing

FORMAT = "panthera-vision-checkpoint"
VERSION = 5

# Class order of bare state_dicts of earlier projects: their folders in alphabetical order.
LEGACY_CLASS_NAMES = (
    "Panthera leo",
    "Panthera onca",
    "Panthera pardus",
    "Panthera tigris",
    "Panthera uncia",
)
_LEGACY_PREPROCESSING = Preprocessing(224, 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# What builders raise on arguments that do not fit together, and loading on other weights.
_UNBUILDABLE = (RuntimeError, AssertionError, ValueError, TypeError, ArithmeticError, LookupError)


@dataclass(frozen=True)
class TrainedModel:
    """Hold a trained classifier and all that is needed to use it.

    Attributes:
        classifier: in evaluation mode.
        backbone: what the classifier was fine-tuned from, and how it is built.
        class_names: the species, in the order of the logits; none in a feature network.
        preprocessing: from a photo to the network's input.
        temperature: divides the logits before the softmax (temperature scaling).
        ood_threshold: photos with a higher OOD score are "none of these"; None if not fitted.
        parameters: settings of the training.
        data_fingerprint: of the photos, labels and splits of the training.
        training: epoch and validation accuracy of these weights, and other notes.
        fingerprint: SHA-256 of the checkpoint file; empty before it is saved.
    """

    classifier: Classifier
    backbone: Backbone
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    temperature: float = 1.0
    ood_threshold: float | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    data_fingerprint: str = ""
    training: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""


def save_checkpoint(model: TrainedModel, path: Path) -> None:
    """Write `model` as plain values and tensors, which load with `weights_only=True`."""
    backbone = model.backbone
    content = {
        "format": FORMAT,
        "version": VERSION,
        "backbone": {
            "name": backbone.name,
            "library": backbone.architecture.library,
            "architecture": backbone.architecture.name,
            "arguments": dict(backbone.architecture.arguments),
            "labels": backbone.labels,
            "source": backbone.source,
            "license": backbone.license,
        },
        "class_names": list(model.class_names),
        "preprocessing": model.preprocessing.as_dict(),
        "temperature": model.temperature,
        "ood_threshold": model.ood_threshold,
        "parameters": model.parameters,
        "data_fingerprint": model.data_fingerprint,
        "training": model.training,
        "state_dict": model.classifier.state_dict(),
    }
    # Given a path, torch would store the temporary file's name, and equal models would differ.
    with atomic_write(path) as partial, partial.open("wb") as file:
        torch.save(content, file)


def load_checkpoint(path: Path) -> TrainedModel:
    """Load a checkpoint, or a bare state_dict of torchvision's efficientnet_v2_s with 5 classes.

    The file is not trusted: it runs no code, and every value is validated before use.

    Raises:
        UserError: it is missing, damaged, unsafe to load, or of another kind.
    """
    model = load_feature_network(path)
    if not model.class_names:
        raise UserError(
            f"{path} is a feature network: it embeds photos for the search and knows no species; "
            "use the classifier's checkpoint (best_model.pth)"
        )
    return model


def load_feature_network(path: Path) -> TrainedModel:
    """Load a network that embeds photos: a classifier, or one without classes.

    Raises:
        UserError: as `load_checkpoint`.
    """
    content = _load(path)
    fingerprint = sha256_of_file(path)
    if content.get("format") != FORMAT:
        return _from_bare_state(content, path, fingerprint)
    content = upgrade_checkpoint(content)
    if content.get("version") != VERSION:
        raise UserError(
            f"{path} is a checkpoint of version {content.get('version')}; this program reads "
            f"versions 3 to {VERSION}. Train again with `dvc repro`"
        )
    checked = validate_checkpoint(content, path)
    preprocessing = checked.preprocessing.preprocessing()
    backbone = Backbone(
        name=checked.backbone.name,
        architecture=checked.backbone.as_architecture(),
        preprocessing=preprocessing,
        train_size=preprocessing.image_size,
        labels=checked.backbone.labels,
        source=checked.backbone.source,
        license=checked.backbone.license,
    )
    return TrainedModel(
        classifier=_classifier(backbone, checked, path),
        backbone=backbone,
        class_names=tuple(checked.class_names),
        preprocessing=preprocessing,
        temperature=checked.temperature,
        ood_threshold=checked.ood_threshold,
        parameters=checked.parameters,
        data_fingerprint=checked.data_fingerprint,
        training=checked.training,
        fingerprint=fingerprint,
    )


def _classifier(backbone: Backbone, checked: CheckpointSchema, path: Path) -> Classifier:
    """Build the classifier of a checkpoint and load its weights.

    It is built on the meta device first, where a network takes no memory whatever sizes its
    arguments ask for: the real one is as large as the weights in the file.
    """
    state = checked.state_dict
    typical = state.get("ood_head.typical")
    try:
        with torch.device("meta"):
            outline = _empty(backbone, checked, typical)
        outline.load_state_dict(state, assign=True)
        classifier = _empty(backbone, checked, typical)
        classifier.load_state_dict(state)
        if isinstance(classifier.ood_head, OODHead):
            classifier.ood_head.check()
    except _UNBUILDABLE as error:
        problem = " ".join(str(error).split())[:200]
        raise UserError(f"{path} is a damaged checkpoint ({problem}); train again") from None
    return classifier.eval()


def _empty(
    backbone: Backbone, checked: CheckpointSchema, typical: torch.Tensor | None
) -> Classifier:
    return empty_classifier(
        backbone,
        len(checked.class_names),
        with_ood_head=any(name.startswith("ood_head.") for name in checked.state_dict),
        typical_photos=None if typical is None or not typical.ndim else len(typical),
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        reject_zip_bomb(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; `dvc repro` creates it") from None
    except pickle.UnpicklingError as error:
        # torch's own message advises to load the file with `weights_only=False`, which runs code.
        if code := re.search(r"GLOBAL (\S+)", str(error)):
            problem = f"was refused because it contains more than weights ({code[1]})"
        else:
            problem = "is not a checkpoint, or damaged"
        raise UserError(f"{path} {problem}; `dvc repro` creates one") from None
    except (OSError, UserError):
        raise  # an OSError is a fault of the disk, not of the file
    except Exception as error:
        # The unpickler raises nearly anything on damaged data (IndexError, struct.error, …).
        problem = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path} is not a checkpoint, or damaged ({problem})") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} is not a checkpoint: it contains a {type(content).__name__}")
    return content


def _from_bare_state(state: dict[str, Any], path: Path, fingerprint: str) -> TrainedModel:
    architecture = Architecture(
        "torchvision", "efficientnet_v2_s", {"num_classes": len(LEGACY_CLASS_NAMES)}
    )
    network = architecture.network()
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError):
        raise UserError(
            f"{path} is neither a checkpoint of this project nor a state_dict of torchvision's "
            f"efficientnet_v2_s with {len(LEGACY_CLASS_NAMES)} classes"
        ) from None
    trunk, head = split(network)
    assert head is not None
    size = _LEGACY_PREPROCESSING.image_size
    return TrainedModel(
        classifier=Classifier(trunk, head).eval(),
        backbone=Backbone("efficientnet_v2_s", architecture, _LEGACY_PREPROCESSING, size),
        class_names=LEGACY_CLASS_NAMES,
        preprocessing=_LEGACY_PREPROCESSING,
        fingerprint=fingerprint,
    )
