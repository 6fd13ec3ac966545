"""The classifier: a pretrained backbone as trunk, a linear head over the species, an OOD head."""

from typing import NamedTuple

import torch
from torch import nn

from panthera_vision.models.backbones import Backbone
from panthera_vision.models.label_sets import species_rows
from panthera_vision.models.ood import FeatureOODHead, OODHead
from panthera_vision.models.pretrained_weights import load_pretrained


class Outputs(NamedTuple):
    """Hold the outputs of a classifier for N photos.

    Attributes:
        features: penultimate, (N, feature_dimension).
        logits: (N, classes).
        ood_scores: (N,), see `Classifier.ood_scores`.
    """

    features: torch.Tensor
    logits: torch.Tensor
    ood_scores: torch.Tensor


class Classifier(nn.Module):
    """Map photos to features, logits and OOD scores.

    Attributes:
        trunk: photos (N, 3, H, W) → features (N, feature_dimension).
        head: features → logits (N, classes); of no classes in a feature network.
        ood_head: None where none was trained, as in a bare state_dict.
    """

    def __init__(
        self,
        trunk: nn.Module,
        head: nn.Linear,
        ood_head: OODHead | FeatureOODHead | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(dropout)
        self.head = head
        self.ood_head = ood_head

    def features(self, photos: torch.Tensor) -> torch.Tensor:
        """Return penultimate features (N, feature_dimension) of photos (N, 3, H, W)."""
        features: torch.Tensor = self.trunk(photos)
        return features

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Return logits (N, classes) of photos (N, 3, H, W)."""
        logits: torch.Tensor = self.head(self.dropout(self.features(photos)))
        return logits

    def outputs(self, photos: torch.Tensor) -> Outputs:
        """Return all outputs for photos (N, 3, H, W) from one forward pass."""
        return self.outputs_of_features(self.features(photos))

    def outputs_of_features(self, features: torch.Tensor) -> Outputs:
        """Return all outputs for photos with these features (N, feature_dimension)."""
        logits = self.head(features)
        return Outputs(features, logits, self.ood_scores(features, logits))

    def ood_scores(self, features: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return OOD scores (N,); higher is less like the training photos.

        Without an OOD head this is the energy score (Liu et al., "Energy-based Out-of-distribution
        Detection", NeurIPS 2020).
        """
        if self.ood_head is None:
            return -logits.logsumexp(1)
        return self.ood_head.score(features, logits)


def pretrained_classifier(
    backbone: Backbone, class_names: tuple[str, ...], dropout: float = 0.0
) -> Classifier:
    """Build a classifier with pretrained weights and a new head over `class_names`.

    The head's rows are copied from ImageNet's head for the species that its labels name, so
    training starts from what the network knows; the other rows are random.

    Raises:
        UserError: the weights can't be loaded; the message says how to get them.
    """
    trunk, imagenet = load_pretrained(backbone)
    head = nn.Linear(backbone.feature_dimension, len(class_names))
    if imagenet is None or not backbone.labels:
        return Classifier(trunk, head, FeatureOODHead(head.in_features), dropout)
    rows = species_rows(backbone.labels)
    with torch.no_grad():
        for row, name in enumerate(class_names):
            if name in rows:
                head.weight[row] = imagenet.weight[rows[name]]
                head.bias[row] = imagenet.bias[rows[name]]
    return Classifier(trunk, head, OODHead(imagenet, len(class_names)), dropout)


def empty_classifier(
    backbone: Backbone,
    class_count: int,
    *,
    with_ood_head: bool = True,
    typical_photos: int | None = None,
) -> Classifier:
    """Build a classifier with random weights, to load a state_dict into.

    Args:
        backbone: what to build.
        class_count: number of species; 0 for a feature network.
        with_ood_head: whether it has an OOD head.
        typical_photos: number of training photos whose features a `FeatureOODHead` keeps; None
            for the OOD head that the backbone's labels allow.
    """
    trunk, imagenet = backbone.build()
    dimension = imagenet.in_features if imagenet else backbone.feature_dimension
    ood_head: OODHead | FeatureOODHead | None = None
    if with_ood_head and typical_photos is None and imagenet is not None and backbone.labels:
        ood_head = OODHead(imagenet, class_count)
    elif with_ood_head:
        ood_head = FeatureOODHead(dimension, typical_photos or 1)
    if not class_count:
        return Classifier(trunk, no_head(dimension))
    return Classifier(trunk, nn.Linear(dimension, class_count), ood_head)


def no_head(dimension: int) -> nn.Linear:
    """Return a head of no classes, for a feature network: its logits are (N, 0)."""
    head = nn.Linear(dimension, 1)  # PyTorch warns if it initializes a layer without weights
    head.out_features = 0
    head.weight, head.bias = nn.Parameter(head.weight[:0]), nn.Parameter(head.bias[:0])
    return head
