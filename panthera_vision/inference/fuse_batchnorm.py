"""Batch norms multiplied into the convolutions before them: the same function, in fewer passes.

With fixed means and variances a batch norm is one factor and one summand for each channel, which a
convolution can have in its weights. For answers the result is computed once, for training at every
step, so that gradients reach the convolution's own weights and the norm's.
"""

import copy
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.func import functional_call

from panthera_vision.models.classifier import Classifier


@dataclass(frozen=True)
class ConvBatchNorm:
    """A convolution and the batch norm behind it, by their names in the network."""

    convolution: str
    norm: str


def fusable_pairs(network: nn.Module, trial: torch.Tensor) -> list[ConvBatchNorm]:
    """The convolutions whose results batch norms take, and nobody else.

    That it is so is seen only when photos pass, so a trial passes.

    Args:
        network: in evaluation mode.
        trial: photos (N, 3, H, W), of any content.
    """
    modules = dict(network.named_modules())
    pairs = []
    for parent_name, parent in modules.items():
        prefix = f"{parent_name}." if parent_name else ""
        for (first, one), (second, other) in pairwise(parent.named_children()):
            if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d):
                pairs.append(ConvBatchNorm(prefix + first, prefix + second))
    results: dict[nn.Module, list[torch.Tensor]] = {}
    taken: dict[nn.Module, list[torch.Tensor]] = {}
    watched = []
    for pair in pairs:
        watched += [
            modules[pair.convolution].register_forward_hook(
                lambda module, _, result: results.setdefault(module, []).append(result)
            ),
            modules[pair.norm].register_forward_pre_hook(
                lambda module, given: taken.setdefault(module, []).append(given[0])
            ),
        ]
    try:
        with torch.no_grad():
            network(trial)
    finally:
        for watch in watched:
            watch.remove()

    def belong_together(pair: ConvBatchNorm) -> bool:
        given = results.get(modules[pair.convolution], [])
        got = taken.get(modules[pair.norm], [])
        return len(given) == len(got) == 1 and given[0] is got[0]

    return [pair for pair in pairs if belong_together(pair)]


def fused_weights(network: nn.Module, pair: ConvBatchNorm) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and bias of the convolution that does what both of the pair do.

    Gradients of them reach the network's own parameters.
    """
    convolution, norm = network.get_submodule(pair.convolution), network.get_submodule(pair.norm)
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None and norm.running_var is not None
    factor = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        factor = factor * norm.weight
    shift = -norm.running_mean if convolution.bias is None else convolution.bias - norm.running_mean
    bias = shift * factor
    if norm.bias is not None:
        bias = bias + norm.bias
    return convolution.weight * factor[:, None, None, None], bias


def fuse_batch_norms(network: nn.Module) -> list[ConvBatchNorm]:
    """Fold, in place and for good; what was folded. The network is in evaluation mode."""
    pairs = fusable_pairs(network, _trial_photo(network))
    for pair in pairs:
        with torch.no_grad():
            weight, bias = fused_weights(network, pair)
        convolution = network.get_submodule(pair.convolution)
        convolution.weight, convolution.bias = nn.Parameter(weight), nn.Parameter(bias)
        # timm's batch norms end in their activation.
        after = getattr(network.get_submodule(pair.norm), "act", None)
        parent, _, name = pair.norm.rpartition(".")
        replacement = after if isinstance(after, nn.Module) else nn.Identity()
        setattr(network.get_submodule(parent), name, replacement)
    return pairs


def _trial_photo(network: nn.Module) -> torch.Tensor:
    weight = next(network.parameters())
    return torch.zeros(1, 3, 32, 32, device=weight.device, dtype=weight.dtype)


class FusedTrainingNetwork(nn.Module):
    """A classifier in training whose batch norms keep their statistics, and are folded.

    What it computes, and the gradients of the classifier's parameters, are those of the classifier
    itself up to rounding. Its parameters are the classifier's own.
    """

    def __init__(self, classifier: Classifier) -> None:
        """
        Args:
            classifier: on its device, in the memory format to be trained in.
        """
        super().__init__()
        self.classifier = classifier
        shape = copy.deepcopy(classifier).eval()
        pairs = [
            ConvBatchNorm(f"trunk.{pair.convolution}", f"trunk.{pair.norm}")
            for pair in fuse_batch_norms(shape.trunk)
        ]
        shape.train()
        for module in shape.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        self._pairs = pairs
        # Only its structure is used. Within a tuple, its parameters are not taken for ours.
        self._shape = (shape,)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of photos (N, 3, H, W)."""
        weights: dict[str, torch.Tensor] = dict(self.classifier.named_parameters())
        for pair in self._pairs:
            weight, bias = fused_weights(self.classifier, pair)
            weights[f"{pair.convolution}.weight"] = weight
            weights[f"{pair.convolution}.bias"] = bias
            for name in ("weight", "bias"):
                weights.pop(f"{pair.norm}.{name}", None)
        logits: torch.Tensor = functional_call(self._shape[0], weights, (photos,))
        return logits
