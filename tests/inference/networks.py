"""Classifiers with realistic batch norm statistics, and photos for them."""

import torch
from torch import nn

from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.classifier import Classifier, empty_classifier, pretrained_classifier

from ..conftest import SPECIES, draw_photo


def warmed_up_classifier(name: str) -> Classifier:
    """Return a classifier with pretrained batch norm statistics, or those of drawn photos."""
    torch.manual_seed(0)
    if name == "efficientnet_lite0":
        return pretrained_classifier(find_backbone(name), SPECIES).eval()
    network = empty_classifier(find_backbone(name), len(SPECIES))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train().trunk(photos(name))
    return network.eval()


def photos(name: str) -> torch.Tensor:
    preprocessing = find_backbone(name, image_size=128).preprocessing
    return torch.stack([preprocessing(draw_photo(SPECIES[seed % 5], seed)) for seed in range(8)])
