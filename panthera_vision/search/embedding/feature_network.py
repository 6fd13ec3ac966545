"""Feature networks: pretrained backbones without classes, which embed photos for the search."""

import re
import shutil
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import atomic_write
from panthera_vision.models.backbone_names import ImageSize
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import (
    TrainedModel,
    load_checkpoint,
    load_feature_network,
    save_checkpoint,
)
from panthera_vision.models.classifier import Classifier, no_head
from panthera_vision.models.pretrained_weights import load_pretrained
from panthera_vision.search.parameters import CLASSIFIER, EmbedParameters


def feature_network(
    backbone: str, weights: Path | None = None, image_size: ImageSize = "auto"
) -> TrainedModel:
    """Build a feature network from a pretrained backbone: its trunk and its preprocessing.

    Args:
        backbone: a name as of `train.backbone`, such as "timm:vit_small_patch14_dinov2.lvd142m".
        weights: local file with a state_dict, instead of the published weights.
        image_size: side of the photos in pixels; "auto" is that of the weights.

    Raises:
        UserError: there is no such backbone, its weights can't be loaded, or they are of another.
    """
    try:
        found = find_backbone(backbone, weights=weights, image_size=image_size)
        trunk, _ = load_pretrained(found)
    except UserError as error:
        # The settings of the training have the same names.
        words = re.sub(r"\btrain\.(backbone|weights|image_size)", r"embed.\1", str(error))
        raise UserError(words) from None
    return TrainedModel(
        classifier=Classifier(trunk, no_head(found.feature_dimension)).eval(),
        backbone=found,
        class_names=(),
        preprocessing=found.preprocessing,
    )


def write_embedder(classifier: Path, parameters: EmbedParameters, path: Path) -> str:
    """Write the checkpoint of the network that embeds photos, as the settings name it.

    With `CLASSIFIER` it is a copy of the classifier's checkpoint.

    Returns:
        A phrase that says what was written.

    Raises:
        UserError: the classifier, or the backbone's weights, can't be loaded.
    """
    if parameters.backbone == CLASSIFIER:
        load_checkpoint(classifier)
        with atomic_write(path) as partial:
            shutil.copyfile(classifier, partial)
        return f"{classifier} → {path}"
    network = feature_network(parameters.backbone, parameters.weights, parameters.image_size)
    save_checkpoint(network, path)
    saved = load_feature_network(path)  # it must load without any hub
    return (
        f"{saved.backbone.name}, {saved.classifier.head.in_features:,} features of photos of "
        f"{saved.preprocessing.image_size} pixels; {path}"
    )
