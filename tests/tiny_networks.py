"""Small random networks of the families that a backbone can be of, and photos for them."""

from dataclasses import dataclass, field
from typing import Any

import timm
import torch
from torch import nn

from panthera_vision.models.architecture import Architecture
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.classifier import Classifier
from panthera_vision.models.preprocessing import Preprocessing

from .conftest import SPECIES, draw_photo


@dataclass(frozen=True)
class Family:
    """A network by timm's name and arguments, and the side of its photos in pixels."""

    name: str
    image_size: int
    arguments: dict[str, Any] = field(default_factory=dict)


_NARROW = {"embed_dim": 48, "num_heads": 3}
FAMILIES = {
    "efficientnet": Family("test_efficientnet", 160),
    "convnext": Family("test_convnext", 64),
    "resnet": Family("test_resnet", 64),
    "mobilenetv4": Family("mobilenetv4_conv_small_035", 224),
    "vit": Family("test_vit", 64, {"img_size": 64}),
    # Four register tokens beside the class token.
    "dinov2": Family("vit_small_patch14_reg4_dinov2", 56, {"img_size": 56, "depth": 3, **_NARROW}),
    "swin": Family(
        "swin_tiny_patch4_window7_224",
        64,
        {"img_size": 64, "window_size": 4, "embed_dim": 24, "depths": (1, 1, 2, 1)}
        | {"num_heads": (1, 2, 3, 4)},
    ),
}
WITH_BATCH_NORM = ("efficientnet", "resnet", "mobilenetv4")


def preprocessing(family: str) -> Preprocessing:
    """Of photos for a family's network."""
    return Preprocessing(FAMILIES[family].image_size, 1.0, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def backbone(family: str) -> Backbone:
    """Describe a family's network, without weights."""
    made = FAMILIES[family]
    architecture = Architecture("timm", made.name, {**made.arguments, "num_classes": 0})
    return Backbone(f"timm:{made.name}", architecture, preprocessing(family), made.image_size)


def photos(family: str, count: int = 8) -> torch.Tensor:
    """Drawn photos (count, 3, H, W), preprocessed."""
    prepare = preprocessing(family)
    return torch.stack([prepare(draw_photo(SPECIES[at % 5], at)) for at in range(count)])


def tiny_classifier(family: str, seed: int = 0) -> Classifier:
    """A classifier of the five species in evaluation mode; its batch norms have seen `photos`."""
    torch.manual_seed(seed)
    made = FAMILIES[family]
    trunk = timm.create_model(made.name, pretrained=False, num_classes=0, **made.arguments)
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        features = trunk.train()(photos(family))
    return Classifier(trunk, nn.Linear(features.shape[1], len(SPECIES))).eval()
