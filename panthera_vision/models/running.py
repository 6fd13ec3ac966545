"""A classifier made ready to answer fast: batch norms folded away, in the fastest safe precision.

Convolutions lie in memory with their channels last. Where processor or GPU multiply bfloat16 in
hardware, most of the trunk runs in it. Its first layers, whose rounding all others would amplify,
and the heads, which thresholds are set on, always run in float32.
"""

import copy
from itertools import pairwise
from typing import Literal

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from panthera_vision.models.classifier import Classifier, Outputs

Precision = Literal["auto", "fp32", "bf16"]


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware; without that it would be slower."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    return any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))


def number_type(precision: Precision, device: torch.device) -> torch.dtype:
    """What the trunk computes in; `auto` asks the device."""
    if precision == "auto":
        precision = "bf16" if has_fast_bf16(device) else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


class RunningNetwork:
    """A copy of a classifier for answers alone; the original stays as it is, and trainable."""

    def __init__(
        self,
        classifier: Classifier,
        device: torch.device,
        precision: Precision = "auto",
        rounded_from: str = "",
    ) -> None:
        """
        Args:
            classifier: any device, any mode.
            device: where it shall run.
            precision: of the trunk; see the module.
            rounded_from: the trunk's part that is the first in bfloat16; "" for all of it.
        """
        self._device = device
        self._classifier = copy.deepcopy(classifier).eval().requires_grad_(False).to(device)
        trunk = self._classifier.trunk
        fold_batch_norms(trunk)
        trunk.to(memory_format=torch.channels_last)
        if number_type(precision, device) == torch.bfloat16:
            _round_from(trunk, rounded_from)

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


def fold_batch_norms(trunk: nn.Module) -> None:
    """Multiply batch norms into the convolutions before them, in place.

    A batch norm belongs to the convolution that is before it in the same part of the network. That
    it is so is seen only when photos pass, so a trial passes; a batch norm that gets anything but
    the convolution's result, or shares it, stays.
    """
    pairs = _pairs(trunk)
    results: dict[nn.Module, list[torch.Tensor]] = {}
    taken: dict[nn.Module, list[torch.Tensor]] = {}
    watched = []
    for _, _, convolution, norm in pairs:
        watched += [
            convolution.register_forward_hook(
                lambda module, _, result: results.setdefault(module, []).append(result)
            ),
            norm.register_forward_pre_hook(
                lambda module, given: taken.setdefault(module, []).append(given[0])
            ),
        ]
    try:
        weight = next(trunk.parameters())
        with torch.no_grad():
            trunk(torch.zeros(1, 3, 32, 32, device=weight.device, dtype=weight.dtype))
    finally:
        for watch in watched:
            watch.remove()
    for parent, name, convolution, norm in pairs:
        given, got = results.get(convolution, []), taken.get(norm, [])
        if len(given) == len(got) == 1 and given[0] is got[0]:
            _fold(parent, name, convolution, norm)


def _pairs(trunk: nn.Module) -> list[tuple[nn.Module, str, nn.Conv2d, nn.BatchNorm2d]]:
    """Parent, the norm's name in it, convolution and norm, of all that are side by side."""
    pairs = []
    for parent in trunk.modules():
        children = list(parent.named_children())
        for (_, first), (name, second) in pairwise(children):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                pairs.append((parent, name, first, second))
    return pairs


def _fold(parent: nn.Module, name: str, convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None and norm.running_var is not None
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    # timm's batch norms end in their activation.
    after = getattr(norm, "act", None)
    setattr(parent, name, after if isinstance(after, nn.Module) else nn.Identity())
