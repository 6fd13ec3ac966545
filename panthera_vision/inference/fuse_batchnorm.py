"""Fuse batch norms into the preceding convolutions: the same function in fewer passes.

With frozen statistics, a batch norm is a scale and a shift per channel, which the convolution's
weights and bias can absorb. For inference this is done once; for training at every step, so that
gradients reach the convolution's and the batch norm's own parameters. Networks without such pairs
(ConvNeXt, transformers) stay as they are.
"""

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn
from torch.func import functional_call

from panthera_vision.models.classifier import Classifier

# By name, so that timm need not be imported. Others may change their weights before they use them
# (weight standardization), so that a batch norm can't be absorbed.
_CONVOLUTIONS = {"Conv2d", "Conv2dSame"}
_SMALL_SIDE = 32


@dataclass(frozen=True)
class ConvBatchNorm:
    """Name a convolution and the batch norm that consumes its output."""

    convolution: str
    norm: str


def fusable_pairs(network: nn.Module) -> list[ConvBatchNorm]:
    """Find the convolutions whose output goes to a batch norm and nowhere else.

    The order of submodules does not show the data flow, so a blank photo is passed through
    `network`, which must be in evaluation mode. A network that does not take it has no pairs.
    """
    modules = dict(network.named_modules())
    pairs = []
    for parent_name, parent in modules.items():
        prefix = f"{parent_name}." if parent_name else ""
        for (first, one), (second, other) in pairwise(parent.named_children()):
            if isinstance(other, nn.BatchNorm2d):
                while isinstance(one, nn.Sequential) and len(one):  # a stem of several layers
                    last, one = list(one.named_children())[-1]
                    first = f"{first}.{last}"
                if type(one).__name__ in _CONVOLUTIONS:
                    pairs.append(ConvBatchNorm(prefix + first, prefix + second))
    return _connected(network, pairs) if pairs else []


def _connected(network: nn.Module, pairs: list[ConvBatchNorm]) -> list[ConvBatchNorm]:
    """Return the pairs whose batch norm gets the convolution's output, once in a pass."""
    modules = dict(network.named_modules())
    produced: dict[nn.Module, list[torch.Tensor]] = {}
    consumed: dict[nn.Module, list[torch.Tensor]] = {}
    hooks = []
    for pair in pairs:
        hooks += [
            modules[pair.convolution].register_forward_hook(
                lambda module, _, output: produced.setdefault(module, []).append(output)
            ),
            modules[pair.norm].register_forward_pre_hook(
                lambda module, inputs: consumed.setdefault(module, []).append(inputs[0])
            ),
        ]
    weight = next(network.parameters())
    side = _photo_side(network)
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, side, side, device=weight.device, dtype=weight.dtype))
    except (RuntimeError, AssertionError):
        return []
    finally:
        for hook in hooks:
            hook.remove()

    def is_connected(pair: ConvBatchNorm) -> bool:
        outputs = produced.get(modules[pair.convolution], [])
        inputs = consumed.get(modules[pair.norm], [])
        return len(outputs) == len(inputs) == 1 and outputs[0] is inputs[0]

    return [pair for pair in pairs if is_connected(pair)]


def _photo_side(network: nn.Module) -> int:
    """Return the side of photos that the network takes, a small one if it takes several."""
    config = getattr(network, "pretrained_cfg", None) or {}  # of timm
    return int(config["input_size"][-1]) if config.get("fixed_input_size") else _SMALL_SIDE


def fused_weights(network: nn.Module, pair: ConvBatchNorm) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute weight and bias of the fused convolution; gradients flow to both layers."""
    convolution, norm = network.get_submodule(pair.convolution), network.get_submodule(pair.norm)
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None and norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = -norm.running_mean if convolution.bias is None else convolution.bias - norm.running_mean
    bias = shift * scale
    if norm.bias is not None:
        bias = bias + norm.bias
    return convolution.weight * scale[:, None, None, None], bias


def fuse_batch_norms(network: nn.Module) -> list[ConvBatchNorm]:
    """Fuse all fusable pairs of a network in evaluation mode, in place; return them."""
    pairs = fusable_pairs(network)
    for pair in pairs:
        with torch.no_grad():
            weight, bias = fused_weights(network, pair)
        convolution = network.get_submodule(pair.convolution)
        convolution.weight, convolution.bias = nn.Parameter(weight), nn.Parameter(bias)
        # timm's batch norms include their activation.
        activation = getattr(network.get_submodule(pair.norm), "act", None)
        parent, _, name = pair.norm.rpartition(".")
        replacement = activation if isinstance(activation, nn.Module) else nn.Identity()
        setattr(network.get_submodule(parent), name, replacement)
    return pairs


class TrainingOutputs(NamedTuple):
    """Hold what the training loss needs of N photos.

    Attributes:
        features: penultimate, without dropout, (N, feature_dimension).
        logits: with dropout, (N, classes).
    """

    features: torch.Tensor
    logits: torch.Tensor


class _TrainingForward(nn.Module):
    """Return features and logits of a classifier in one forward pass."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, photos: torch.Tensor) -> TrainingOutputs:
        features = self.classifier.features(photos)
        return TrainingOutputs(features, self.classifier.head(self.classifier.dropout(features)))


class FusedTrainingNetwork(nn.Module):
    """Train a classifier with frozen batch norm statistics, fused at every step.

    Outputs and gradients are those of the classifier up to rounding. Its parameters are the
    classifier's own. The classifier is on its device and in its memory format already.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier
        fused = copy.deepcopy(classifier).eval()
        self._pairs = [
            ConvBatchNorm(f"classifier.trunk.{pair.convolution}", f"classifier.trunk.{pair.norm}")
            for pair in fuse_batch_norms(fused.trunk)
        ]
        fused.train()
        for module in fused.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        # Only its structure is used. In a tuple, its parameters are not registered as ours.
        self._fused = (_TrainingForward(fused),)

    def forward(self, photos: torch.Tensor) -> TrainingOutputs:
        """Return features and logits of photos (N, 3, H, W)."""
        weights: dict[str, torch.Tensor] = dict(self.named_parameters())
        for pair in self._pairs:
            weight, bias = fused_weights(self, pair)
            weights[f"{pair.convolution}.weight"] = weight
            weights[f"{pair.convolution}.bias"] = bias
            for name in ("weight", "bias"):
                weights.pop(f"{pair.norm}.{name}", None)
        outputs: TrainingOutputs = functional_call(self._fused[0], weights, (photos,))
        return outputs
