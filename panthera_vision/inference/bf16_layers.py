"""Decide from an architecture's convolutions whether bfloat16 pays, and from which layer on.

Two properties count. Rounding errors of early layers are amplified by all later ones. And depthwise
convolutions gain little from bfloat16 on CPUs, while each of their outputs sums 9 to 49 products
only, so that rounding errors do not average out as in the thousands of products of a dense layer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn

from panthera_vision.models.architecture import Architecture, Argument, Library
from panthera_vision.models.backbones import Backbone

# Input stride, in pixels of the photo, from which depthwise convolutions bear rounding: measured
# on EfficientNet-Lite0, whose features then have a cosine of 0.998 or more to those in float32.
_SAFE_STRIDE = 8
_FIRST_STAGES = 2

Hook = Callable[[nn.Module, tuple[torch.Tensor], torch.Tensor], None]


@dataclass
class Stage:
    """Describe a stage of a trunk.

    Attributes:
        name: of the submodule, such as "blocks.3" or "layer1.0".
        output_stride: of its last convolution, in pixels of the photo; 0 without one.
        is_safe: whether it has no depthwise convolution at a stride below 8.
    """

    name: str
    output_stride: float = 0.0
    is_safe: bool = True


def bf16_start(backbone: Backbone) -> str:
    """Return the name of the submodule of the trunk from which on bfloat16 may be used.

    In a convolutional network it is the first stage that reduces the resolution, after the stem and
    one stage more, such that it and all later ones are safe; in others the second block.
    """
    traced = stages(backbone)
    return _convolutional_start(traced) or traced[min(_FIRST_STAGES, len(traced) - 1)].name


def bf16_is_faster(backbone: Backbone) -> bool:
    """Return whether bfloat16 gains enough on a CPU to be worth its rounding.

    It does where the early layers, which have the largest feature maps, are dense convolutions.
    Transformers are left in float32, because their gain and error were not measured.
    """
    traced = stages(backbone)
    return bool(_convolutional_start(traced)) and all(stage.is_safe for stage in traced)


def _convolutional_start(traced: list[Stage]) -> str:
    start = ""
    for stage in reversed(traced[_FIRST_STAGES:]):
        if not stage.is_safe:
            break
        if stage.output_stride > traced[0].output_stride:
            start = stage.name
    return start


def stages(backbone: Backbone) -> list[Stage]:
    """Trace a blank photo through the trunk; return its stages in order of execution."""
    made = backbone.architecture
    arguments = tuple(sorted(made.arguments.items()))
    return list(_stages(made.library, made.name, arguments, backbone.preprocessing.image_size))


@cache
def _stages(
    library: Library, name: str, arguments: tuple[tuple[str, Argument], ...], size: int
) -> tuple[Stage, ...]:
    found: dict[str, Stage] = {}
    trunk = Architecture(library, name, dict(arguments)).outline()[0].eval()
    with torch.no_grad():
        for layer, module in trunk.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                first, _, rest = layer.partition(".")
                second = rest.partition(".")[0]
                stage = f"{first}.{second}" if second.isdigit() else first
                module.register_forward_hook(_recorder(found, stage, size))
        trunk(torch.empty(1, 3, size, size, device="meta"))
    return tuple(found.values())


def _recorder(found: dict[str, Stage], name: str, size: int) -> Hook:
    def record(module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        stage = found.setdefault(name, Stage(name))
        if not isinstance(module, nn.Conv2d):
            return
        stage.output_stride = max(stage.output_stride, size / output.shape[-1])
        is_depthwise = 1 < module.groups == module.in_channels
        if is_depthwise and size / inputs[0].shape[-1] < _SAFE_STRIDE - 0.5:
            stage.is_safe = False

    return record
