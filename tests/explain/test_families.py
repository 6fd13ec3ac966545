"""Grad-CAM explains convolutional networks, vision transformers and Swin, or says that it can't."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from panthera_vision.explain.feature_maps import NotExplainableError
from panthera_vision.explain.gradcam import grad_cam
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier
from panthera_vision.models.preprocessing import Preprocessing

from ..conftest import SPECIES, draw_photo
from ..tiny_networks import FAMILIES, backbone, preprocessing, tiny_classifier

QUADRANTS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize("family", FAMILIES)
def test_map_marks_the_quarter_that_raises_the_logit(family: str) -> None:
    classifier, prepare = tiny_classifier(family), preprocessing(family)
    model = TrainedModel(classifier, backbone(family), SPECIES, prepare)
    half = prepare.image_size // 2
    noise = np.random.default_rng(0).normal(128, 20, (2 * half, 2 * half, 3))
    plain = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
    marked = np.zeros((4, 4))
    for number, (row, column) in enumerate(QUADRANTS):
        photo = plain.copy()
        photo.paste(
            (230, 30, 30), (column * half, row * half, (column + 1) * half, (row + 1) * half)
        )
        with torch.no_grad():  # the first species is what the red quarter changes
            red, without = classifier.features(torch.stack([prepare(photo), prepare(plain)]))
            classifier.head.weight[0] = (red - without) / (red - without).norm()
        attention = grad_cam(model, photo, SPECIES[0])
        for place, (down, right) in enumerate(QUADRANTS):
            quarter = attention[down * half : (down + 1) * half, right * half : (right + 1) * half]
            marked[number, place] = quarter.mean()
    assert marked.argmax(axis=0).tolist() == [0, 1, 2, 3]
    assert all(parameter.grad is None for parameter in classifier.parameters())


def test_map_of_a_torchvision_transformer_has_the_photos_size() -> None:
    from torchvision.models import VisionTransformer

    torch.manual_seed(0)
    trunk = VisionTransformer(64, 16, 2, 2, 32, 64)
    trunk.heads = nn.Identity()
    model = TrainedModel(
        Classifier(trunk, nn.Linear(32, 5)).eval(),
        backbone("vit"),
        SPECIES,
        Preprocessing(64, 1.0, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    )
    photo = draw_photo(SPECIES[0], 1, (90, 70))
    maps = [grad_cam(model, photo, species) for species in SPECIES]
    assert {attention.shape for attention in maps} == {(70, 90)}
    assert max(attention.max() for attention in maps) > 0.9


class TokensWithoutAttention(nn.Module):
    """Mixes patches by no layer that is called an attention."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 16, 16)
        self.norm = nn.LayerNorm(8)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        tokens: torch.Tensor = self.norm(self.patches(photos).flatten(2).transpose(1, 2))
        return tokens.mean(1)


class NoMap(nn.Module):
    """Looks at the mean colour only."""

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return photos.mean((2, 3))


@pytest.mark.parametrize(("trunk", "width"), [(TokensWithoutAttention(), 8), (NoMap(), 3)])
def test_a_network_without_maps_is_one_line(trunk: nn.Module, width: int) -> None:
    model = TrainedModel(
        Classifier(trunk, nn.Linear(width, 5)).eval(),
        backbone("vit"),
        SPECIES,
        Preprocessing(64, 1.0, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    )
    with pytest.raises(NotExplainableError, match=r"^this network can't be explained: [^\n]*$"):
        grad_cam(model, draw_photo(SPECIES[0], 1))
