"""Networks to be timed: with their weights, or with random ones that behave like such."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from panthera_vision.images.decoding import open_photo
from panthera_vision.models.backbones import BACKBONES
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import empty_classifier, pretrained_classifier

SPECIES = ("Panthera leo", "Panthera onca", "Panthera pardus", "Panthera tigris", "Panthera uncia")
SIZE = 224
SEED = 0
# Multiplications with addition for one photo of 224×224, in thousands of millions.
GIGA_MACS = {"efficientnet_v2_s": 2.9, "efficientnet_lite0": 0.4}


def network_to_time(name: str, photos: Sequence[Path]) -> TrainedModel:
    """Lite0 with ImageNet's weights; V2-S with random ones, whose batch norms have seen `photos`.

    The weights of V2-S have to be downloaded; speed does not hang on them.
    """
    backbone = BACKBONES[name]
    preprocessing = backbone.preprocessing(SIZE)
    torch.manual_seed(SEED)
    if name == "efficientnet_lite0":
        classifier = pretrained_classifier(backbone, SPECIES)
    else:
        classifier = empty_classifier(backbone, len(SPECIES))
        for module in classifier.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the mean of all that it sees
        with torch.no_grad():
            classifier.train().trunk(torch.stack([preprocessing(open_photo(p)) for p in photos]))
    return TrainedModel(classifier.eval(), name, SPECIES, preprocessing)
