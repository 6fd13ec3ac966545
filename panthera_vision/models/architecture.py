"""Architectures: networks of timm and torchvision by name, split into trunk and classifier."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import torch
from torch import nn

from panthera_vision.errors import UserError, closest_name

Library = Literal["timm", "torchvision"]
Argument = bool | int | float | str | tuple[int, ...]

# Arguments of timm's and torchvision's builders that a checkpoint or a hub may set: shapes and
# names of layers, nothing that reads a file or a network.
_ARGUMENTS = frozenset(
    (
        *("act_layer", "class_token", "depth", "depths", "dims", "drop_path_rate", "embed_dim"),
        *("dynamic_img_size", "fc_norm", "final_norm", "global_pool", "image_size", "img_size"),
        *("init_values", "mlp_ratio", "no_embed_class", "norm_layer", "num_classes", "num_heads"),
        *("patch_size", "pool_type", "pos_embed", "pre_norm", "qkv_bias", "reg_tokens"),
        *("strict_img_size", "window_size"),
    )
)
# Largest values, so that no file makes us build a network that fills the memory.
_LIMITS = {"depth": 200, "depths": 200, "img_size": 2048, "image_size": 2048, "window_size": 64}
_MAX_WIDTH, _MAX_LENGTH = 30_000, 8
_IDENTIFIER = re.compile(r"\w{0,40}", re.ASCII)


@dataclass(frozen=True)
class Architecture:
    """Name a builder of timm or torchvision and its arguments; it needs no hub.

    Attributes:
        library: whose builder it is.
        name: of the builder, such as "convnext_tiny".
        arguments: of the builder, such as {"num_classes": 1000}; see `check_argument`.
    """

    library: Library
    name: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError if the library has no such builder or it may not have an argument."""
        if self.name not in builder_names(self.library):
            close = closest_name(self.name, builder_names(self.library))
            meant = f"; did you mean {close}?" if close else ""
            raise ValueError(f"{self.library} has no network {self.name[:80]!r}{meant}")
        for name, value in self.arguments.items():
            check_argument(name, value)

    def network(self) -> nn.Module:
        """Build the whole network with random weights."""
        if self.library == "timm":
            import timm

            network: nn.Module = timm.create_model(self.name, pretrained=False, **self.arguments)
        else:
            import torchvision

            network = torchvision.models.get_model(self.name, weights=None, **self.arguments)
        return network

    def build(self) -> tuple[nn.Module, nn.Linear | None]:
        """Build trunk and classifier with random weights; see `split`."""
        return split(self.network())

    def outline(self) -> tuple[nn.Module, nn.Linear | None]:
        """Build trunk and classifier on the meta device: shapes and structure, no weights."""
        try:
            with torch.device("meta"):
                return self.build()
        except NotImplementedError:  # torchvision's RegNets read tensors when they are built
            return split(self.network().to("meta"))

    def output_shape(self, image_size: int) -> tuple[int, ...]:
        """Return the shape of the trunk's output for one photo, found without computing it.

        Raises:
            UserError: it does not take photos of that size, or gives no vector for a photo.
        """
        try:
            with torch.no_grad():
                trunk = self.outline()[0].eval()
                output = trunk(torch.empty(1, 3, image_size, image_size, device="meta"))
        except (RuntimeError, AssertionError, ValueError, TypeError, NotImplementedError) as error:
            reason = " ".join(str(error).split())[:150] or type(error).__name__
            raise UserError(
                f"{self.name} does not take photos of {image_size} pixels ({reason}); "
                "image_size: auto takes the size of its weights"
            ) from None
        if not isinstance(output, torch.Tensor) or output.ndim != 2:
            raise UserError(
                f"{self.name} can't be a backbone: it gives no single vector for a photo"
            )
        return tuple(output.shape)


@cache
def builder_names(library: Library) -> frozenset[str]:
    """Return the names of a library's networks that can be backbones."""
    if library == "timm":
        import timm

        return frozenset(timm.list_models())
    import torchvision

    # Those with auxiliary classifiers, or a convolution before the pooling as classifier.
    left_out = {"googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1"}
    return frozenset(torchvision.models.list_models(module=torchvision.models)) - left_out


def check_argument(name: str, value: object) -> None:
    """Raise ValueError if a builder may not be called with this argument."""
    if name not in _ARGUMENTS:
        raise ValueError(f"a network may not be built with the argument {name[:40]!r}")
    limit = _LIMITS.get(name, _MAX_WIDTH)
    numbers = value if isinstance(value, tuple) else (value,)
    if isinstance(value, str):
        is_valid = _IDENTIFIER.fullmatch(value) is not None
    else:
        is_valid = len(numbers) <= _MAX_LENGTH and all(
            isinstance(number, int | float) and 0 <= number <= limit for number in numbers
        )
    if not is_valid:
        raise ValueError(f"a network may not be built with {name} = {str(value)[:40]!r}")


def split(network: Any) -> tuple[nn.Module, nn.Linear | None]:
    """Split a network into the trunk, which gives a vector for each photo, and its classifier.

    The classifier is the last linear layer; the network with an identity in its place is the trunk.
    Networks with several classifiers or none have a trunk only.
    """
    name = classifier_name(network)
    if not name:
        if hasattr(network, "reset_classifier"):
            network.reset_classifier(0)
        return network, None
    parent_name, _, place = name.rpartition(".")
    parent, classifier = network.get_submodule(parent_name), network.get_submodule(name)
    setattr(parent, place, nn.Identity())
    # torchvision's dropout before the classifier would come on top of ours.
    if isinstance(parent, nn.Sequential) and len(parent) > 1 and isinstance(parent[-2], nn.Dropout):
        parent[-2] = nn.Identity()
    head = _linear(classifier)
    return network, head if head.out_features else None


def classifier_name(network: Any) -> str:
    """Return the name of the network's linear classifier, "" if it has none or several."""
    config = getattr(network, "pretrained_cfg", None)
    if config is None:  # of torchvision
        linear = [n for n, part in network.named_modules() if isinstance(part, nn.Linear)]
        return linear[-1] if linear else ""
    name = config.get("classifier") or ""
    if not isinstance(name, str) or not network.num_classes:
        return ""
    try:
        classifier = network.get_submodule(name)
    except AttributeError:
        return ""
    is_pointwise = isinstance(classifier, nn.Conv2d) and classifier.kernel_size == (1, 1)
    return name if isinstance(classifier, nn.Linear) or is_pointwise else ""


def _linear(layer: nn.Module) -> nn.Linear:
    """Return a linear layer, or a convolution of one pixel as a linear layer."""
    if isinstance(layer, nn.Linear):
        return layer
    assert isinstance(layer, nn.Conv2d)
    linear = nn.Linear(layer.in_channels, layer.out_channels, device=layer.weight.device)
    if not layer.weight.is_meta:
        with torch.no_grad():
            linear.weight.copy_(layer.weight.flatten(1))
            if layer.bias is None:
                linear.bias.zero_()
            else:
                linear.bias.copy_(layer.bias)
    return linear
