"""The network: a pretrained trunk, a head over the species, a sense for what is none of them."""

from typing import NamedTuple

import torch
from torch import nn

from panthera_vision.models.backbones import IMAGENET_CLASS, Backbone
from panthera_vision.models.ood import OODHead


class Outputs(NamedTuple):
    """What a network gives for N photos.

    Attributes:
        features: penultimate, (N, feature_dimension).
        logits: (N, classes).
        ood_scores: (N,), see `Classifier.ood_scores`.
    """

    features: torch.Tensor
    logits: torch.Tensor
    ood_scores: torch.Tensor


class Classifier(nn.Module):
    """A trunk that gives one feature vector a photo, and a linear head over the classes.

    Attributes:
        trunk: photos (N, 3, H, W) → features (N, feature_dimension).
        head: features → logits (N, classes).
        ood_head: tells photos of none of the classes; None in a network that came without
            ImageNet's own head.
    """

    def __init__(
        self,
        trunk: nn.Module,
        head: nn.Linear,
        ood_head: OODHead | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(dropout)
        self.head = head
        self.ood_head = ood_head

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
        return self.outputs_of_features(self.features(photos))

    def outputs_of_features(self, features: torch.Tensor) -> Outputs:
        """All that the network has to say of photos with these features (N, feature_dimension)."""
        logits = self.head(features)
        return Outputs(features, logits, self.ood_scores(features, logits))

    def ood_scores(self, features: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """How little photos look like our classes, (N,); higher is stranger.

        Without a sense for the familiar, it is the energy of our classes (Liu et al.,
        "Energy-based Out-of-distribution Detection", NeurIPS 2020).
        """
        if self.ood_head is None:
            return -logits.logsumexp(1)
        return self.ood_head.score(features)


def pretrained_classifier(
    backbone: Backbone, class_names: tuple[str, ...], dropout: float = 0.0
) -> Classifier:
    """A network with ImageNet weights and a head over `class_names`.

    The head's rows start from ImageNet's own where ImageNet has the species, so that training
    begins with what the network knows; other rows start at random.

    Raises:
        UserError: the weights can't be had; the message says how to get them.
    """
    trunk, imagenet = backbone.build(True)
    head = nn.Linear(backbone.feature_dimension, len(class_names))
    with torch.no_grad():
        for row, name in enumerate(class_names):
            if name in IMAGENET_CLASS:
                head.weight[row] = imagenet.weight[IMAGENET_CLASS[name]]
                head.bias[row] = imagenet.bias[IMAGENET_CLASS[name]]
    return Classifier(trunk, head, OODHead(imagenet, len(class_names)), dropout)


def empty_classifier(
    backbone: Backbone, class_count: int, *, with_ood_head: bool = True
) -> Classifier:
    """The same network with weights still to be loaded, with or without `ood_head`."""
    trunk, imagenet = backbone.build(False)
    ood_head = OODHead(imagenet, class_count) if with_ood_head else None
    return Classifier(trunk, nn.Linear(backbone.feature_dimension, class_count), ood_head)
