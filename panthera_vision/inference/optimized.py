"""A classifier made ready to answer fast: batch norms folded away, in the fastest safe precision.

Convolutions lie in memory with their channels last. Where processor or GPU multiply bfloat16 in
hardware and the backbone gains much by it, most of the trunk runs in it. Its first layers, whose
rounding all others would amplify, and the heads, which thresholds are set on, always run in
float32.
"""

import copy
from typing import Literal

import torch
from torch import nn

from panthera_vision.inference.fuse_batchnorm import fuse_batch_norms
from panthera_vision.inference.options import Precision
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.classifier import Classifier, Outputs


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware; without that it would be slower."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    return any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))


def resolve_precision(
    precision: Precision, device: torch.device, backbone: Backbone
) -> Literal["fp32", "bf16"]:
    """What a trunk computes in on `device`; `auto` is bfloat16 where that gains much."""
    if precision == "auto":
        return "bf16" if backbone.bf16_is_faster and has_fast_bf16(device) else "fp32"
    return precision


class OptimizedClassifier:
    """A copy of a classifier for answers alone; the original stays as it is, and trainable."""

    def __init__(
        self,
        classifier: Classifier,
        backbone: Backbone,
        device: torch.device,
        precision: Precision = "auto",
    ) -> None:
        """
        Args:
            classifier: any device, any mode.
            backbone: the kind of its trunk.
            device: where it shall run.
            precision: of the trunk; see the module.
        """
        self._device = device
        self._classifier = copy.deepcopy(classifier).eval().requires_grad_(False).to(device)
        trunk = self._classifier.trunk
        fuse_batch_norms(trunk)
        trunk.to(memory_format=torch.channels_last)
        self.precision = resolve_precision(precision, device, backbone)
        if self.precision == "bf16":
            _round_from(trunk, backbone.bf16_from)

    @torch.inference_mode()
    def outputs(self, photos: torch.Tensor) -> Outputs:
        """All that the network has to say of photos (N, 3, H, W), on its device."""
        photos = photos.to(self._device, memory_format=torch.channels_last, non_blocking=True)
        return self._classifier.outputs_of_features(self._classifier.features(photos).float())


def _round_from(trunk: nn.Module, first: str) -> None:
    """Let the part named `first` and all after it compute in bfloat16."""
    names = [name for name, _ in trunk.named_modules()]
    for name in names[names.index(first) :]:
        part = trunk.get_submodule(name)
        if not list(part.children()):
            part.bfloat16()
    trunk.get_submodule(first).register_forward_pre_hook(
        lambda _, given: tuple(one.bfloat16() for one in given)
    )
