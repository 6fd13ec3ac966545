"""A classifier optimized for inference: fused batch norms, channels-last, bfloat16 where faster.

Only the trunk runs in bfloat16, and not its first layers, whose rounding all others would amplify.
The heads, on whose outputs thresholds are set, always run in float32.
"""

import copy
from typing import Literal

import torch
from torch import nn

from panthera_vision.inference.bf16_layers import bf16_is_faster, bf16_start
from panthera_vision.inference.fuse_batchnorm import fuse_batch_norms
from panthera_vision.inference.options import Precision
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.classifier import Classifier, Outputs


def has_fast_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    return any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))


def resolve_precision(
    precision: Precision, device: torch.device, backbone: Backbone
) -> Literal["fp32", "bf16"]:
    """Resolve "auto" to bfloat16 where `backbone` gains enough by it on `device`, else float32."""
    if precision == "auto":
        return "bf16" if has_fast_bf16(device) and bf16_is_faster(backbone) else "fp32"
    return precision


class OptimizedClassifier:
    """Run an optimized copy of a classifier; the original stays trainable."""

    def __init__(
        self,
        classifier: Classifier,
        backbone: Backbone,
        device: torch.device,
        precision: Precision = "auto",
    ) -> None:
        self._device = device
        self._classifier = copy.deepcopy(classifier).eval().requires_grad_(False).to(device)
        trunk = self._classifier.trunk
        fuse_batch_norms(trunk)
        trunk.to(memory_format=torch.channels_last)
        self.precision = resolve_precision(precision, device, backbone)
        if self.precision == "bf16":
            _convert_to_bf16(trunk, bf16_start(backbone))

    @torch.inference_mode()
    def outputs(self, photos: torch.Tensor) -> Outputs:
        """Return features, logits and OOD scores of photos (N, 3, H, W), on its device."""
        photos = photos.to(self._device, memory_format=torch.channels_last, non_blocking=True)
        return self._classifier.outputs_of_features(self._classifier.features(photos).float())


def _convert_to_bf16(trunk: nn.Module, first: str) -> None:
    """Convert the submodule named `first` and all after it to bfloat16."""
    names = [name for name, _ in trunk.named_modules()]
    for name in names[names.index(first) :]:
        module = trunk.get_submodule(name)
        # Its own only: a module that began before `first` may hold submodules that did.
        for part in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            if part.is_floating_point():
                part.data = part.data.bfloat16()
    trunk.get_submodule(first).register_forward_pre_hook(
        lambda _, inputs: tuple(tensor.bfloat16() for tensor in inputs)
    )
