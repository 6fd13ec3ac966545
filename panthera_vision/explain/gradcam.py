"""Which parts of a photo speak for a species."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier

Layers = Callable[[torch.Tensor], torch.Tensor]


def grad_cam(model: TrainedModel, photo: Image.Image, species: str | None = None) -> np.ndarray:
    """Where in `photo` the network found what speaks for `species`, by Grad-CAM.

    The last convolutional layer's channels, weighted by what each contributes to the logit
    (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017). It is as coarse as that layer, 32 pixels of the network's input.

    The model may answer other callers meanwhile: nothing of it is changed or hooked.

    Args:
        model: a trained model, on any device.
        photo: an RGB photo of any size.
        species: one of `model.class_names`; the predicted one by default.

    Returns:
        A map of the photo's own size, (height, width), float32, from 0 (nothing) to 1 (most). It
        is 0 outside of the central square that the network sees, and everywhere where nothing
        speaks for the species.

    Raises:
        ValueError: the model does not know `species`.
    """
    # Brings OpenCV and much else with it, which who asks for no map should not wait for.
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = None if species is None else [_target(model, species, ClassifierOutputTarget)]
    network = _Explained(model.classifier)
    photos = model.preprocessing(photo)[None]
    # Whatever the caller's thread has switched off, gradients are needed here.
    with torch.inference_mode(False), torch.enable_grad():
        square = GradCAM(network, [network.feature_maps])(photos, targets)[0]
    left, top, right, bottom = (
        round(edge) for edge in model.preprocessing.seen_box(photo.width, photo.height)
    )
    seen = Image.fromarray(square).resize(
        (max(right - left, 1), max(bottom - top, 1)), Image.Resampling.BILINEAR
    )
    attention = np.zeros((photo.height, photo.width), dtype=np.float32)
    attention[top : top + seen.height, left : left + seen.width] = np.asarray(seen).clip(0, 1)
    return attention


def _target(model: TrainedModel, species: str, kind: Callable[[int], object]) -> object:
    if species not in model.class_names:
        raise ValueError(f"{species!r} is none of {', '.join(model.class_names)}")
    return kind(model.class_names.index(species))


class _Explained(nn.Module):
    """A classifier's shadow for one explanation, to be hooked and asked for gradients.

    It computes with the classifier's weights, but has none of its modules: Grad-CAM's hooks and
    gradients stay here, and threads that share the classifier do not see each other's. Gradients
    go back to the last feature maps alone, so that it costs little more than a prediction.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.feature_maps = nn.Identity()
        self.weight = nn.Parameter(classifier.head.weight.detach(), requires_grad=False)
        self.bias = nn.Parameter(classifier.head.bias.detach(), requires_grad=False)
        self._convolutions, self._pooling = _halves(classifier.trunk)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            maps = self._convolutions(photos.contiguous(memory_format=torch.channels_last))
        features = self._pooling(self.feature_maps(maps.requires_grad_()))
        return nn.functional.linear(features, self.weight, self.bias)


def _halves(trunk: nn.Module) -> tuple[Layers, Layers]:
    """A trunk as functions: photos → the last feature maps (N, C, h, w) → features (N, C)."""
    if isinstance(trunk, nn.Sequential):  # as `split_torchvision` makes it
        convolutions, *pooling = trunk
        # Not a Sequential of them: as a module, it would become the shadow's.
        return lambda photos: convolutions(photos), lambda maps: _in_turn(pooling, maps)
    of_timm: Any = trunk
    return of_timm.forward_features, of_timm.forward_head


def _in_turn(layers: list[nn.Module], values: torch.Tensor) -> torch.Tensor:
    for layer in layers:
        values = layer(values)
    return values
