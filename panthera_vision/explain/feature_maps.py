"""Find the layer of a network that Grad-CAM weighs: its last feature maps or patch tokens."""

import copy
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from panthera_vision.errors import UserError

# A map of one place has a channel for everything and a place for nothing.
_MIN_PLACES = 2


class NotExplainableError(UserError):
    """The network has no layer whose output is a map of the photo."""


@dataclass(frozen=True)
class FeatureMaps:
    """Name a layer, and how its output becomes feature maps.

    Attributes:
        layer: name of the submodule.
        to_maps: its output → feature maps (N, C, h, w), a copy.
    """

    layer: str
    to_maps: Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class _Call:
    name: str
    kind: str
    shape: tuple[int, ...]


def share_weights(network: nn.Module) -> nn.Module:
    """Copy the modules of a network but not its weights, which the copy uses without gradients.

    Hooks of the copy are its own, so threads that share the network do not see them.
    """
    memo: dict[int, object] = {id(part): part for part in network.buffers()}
    for part in network.parameters():
        memo[id(part)] = nn.Parameter(part.detach(), requires_grad=False)
    return copy.deepcopy(network, memo).eval()


@torch.no_grad()
def find_feature_maps(network: nn.Module, photos: torch.Tensor) -> FeatureMaps:
    """Find the layer to explain by passing photos (N, 3, H, H) through a network.

    In a convolutional network or a Swin, it is the last layer before the pooling, whose maps are
    (N, C, h, h) or (N, h, h, C). In a vision transformer, whose class token alone reaches the head
    in the end, it is the layer norm before the last attention, which still reads all patches, as
    the authors of the library advise; prefix tokens (class, registers) are dropped.

    Args:
        network: in evaluation mode, with hooks of its own (`share_weights`).
        photos: square.

    Raises:
        NotExplainableError: no such layer was found.
    """
    calls = _trace(network, photos)
    last = next((call for call in reversed(calls) if _is_spatial(call.shape)), None)
    if last is None:
        raise NotExplainableError("this network can't be explained: it makes no map of the photo")
    if len(last.shape) == 4:
        channels_last = last.shape[1] == last.shape[2] and last.shape[2] != last.shape[3]
        order = (0, 3, 1, 2) if channels_last else (0, 1, 2, 3)
        return FeatureMaps(last.name, lambda maps: maps.permute(order).clone())
    return _patch_tokens(network, calls)


def _trace(network: nn.Module, photos: torch.Tensor) -> list[_Call]:
    """Return the modules that return a tensor, in the order in which they finish, each once."""
    calls: list[_Call] = []
    handles = []

    def remember(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _: object, output: object) -> None:
            # An attention of PyTorch returns its weights as well.
            values = output[0] if isinstance(output, tuple) and output else output
            shape = tuple(values.shape) if isinstance(values, torch.Tensor) else ()
            calls.append(_Call(name, type(module).__name__, shape))

        return hook

    for name, module in network.named_modules():
        handles.append(module.register_forward_hook(remember(name)))
    try:
        network(photos)
    finally:
        for handle in handles:
            handle.remove()
    times = Counter(call.name for call in calls)
    return [call for call in calls if times[call.name] == 1]


def _is_spatial(shape: tuple[int, ...]) -> bool:
    """Return whether an output is square maps in either memory layout, or several tokens."""
    if len(shape) == 4:
        return (shape[2] == shape[3] >= _MIN_PLACES) or (shape[1] == shape[2] >= _MIN_PLACES)
    return len(shape) == 3 and shape[1] > _MIN_PLACES


def _patch_tokens(network: nn.Module, calls: list[_Call]) -> FeatureMaps:
    attention = next((call.name for call in reversed(calls) if "Attention" in call.kind), None)
    shapes = {call.name: call.shape for call in calls}
    if attention is not None:
        block, _, own_name = attention.rpartition(".")
        siblings = [name for name, _ in network.get_submodule(block).named_children()]
        for sibling in reversed(siblings[: siblings.index(own_name)]):
            name = f"{block}.{sibling}" if block else sibling
            if "Norm" in type(network.get_submodule(name)).__name__ and len(shapes[name]) == 3:
                return FeatureMaps(name, _tokens_to_maps(network, shapes[name][1]))
    raise NotExplainableError(
        "this network can't be explained: no layer norm before its last attention was found"
    )


def _tokens_to_maps(network: nn.Module, tokens: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the function (N, tokens, C) → maps (N, C, h, h) without the prefix tokens."""
    counts = [getattr(module, "num_prefix_tokens", None) for module in network.modules()]  # of timm
    prefix = next(
        (count for count in counts if isinstance(count, int)), tokens - math.isqrt(tokens) ** 2
    )
    side = math.isqrt(tokens - prefix)
    if side < _MIN_PLACES or side**2 != tokens - prefix:
        raise NotExplainableError(
            f"this network can't be explained: its {tokens} tokens are no square of patches"
        )

    def to_maps(values: torch.Tensor) -> torch.Tensor:
        patches = values[:, prefix:].reshape(len(values), side, side, -1)
        return patches.permute(0, 3, 1, 2).clone()

    return to_maps
