"""Build networks to time: with pretrained weights, or with random ones that behave alike."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from panthera_vision.images.decoding import open_photo
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import empty_classifier, pretrained_classifier

NETWORKS = ("efficientnet_v2_s", "efficientnet_lite0")
SPECIES = ("Panthera leo", "Panthera onca", "Panthera pardus", "Panthera tigris", "Panthera uncia")
SIZE = 224
SEED = 0
# Billions of multiply-accumulates per photo of 224×224.
GIGA_MACS = {"efficientnet_v2_s": 2.9, "efficientnet_lite0": 0.4}


def network_to_time(name: str, photos: Sequence[Path]) -> TrainedModel:
    """Build Lite0 with ImageNet weights, or V2-S with random ones and fitted batch norms.

    The weights of V2-S would have to be downloaded, and speed does not depend on them. Its
    batch-norm statistics are those of `photos`.
    """
    backbone = find_backbone(name, image_size=SIZE)
    preprocessing = backbone.preprocessing
    torch.manual_seed(SEED)
    if name == "efficientnet_lite0":
        classifier = pretrained_classifier(backbone, SPECIES)
    else:
        classifier = empty_classifier(backbone, len(SPECIES))
        for module in classifier.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # a cumulative average
        with torch.no_grad():
            classifier.train().trunk(torch.stack([preprocessing(open_photo(p)) for p in photos]))
    return TrainedModel(classifier.eval(), backbone, SPECIES, preprocessing)
