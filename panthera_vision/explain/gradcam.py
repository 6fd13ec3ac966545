"""Grad-CAM: a saliency map of the pixels that raise a species' logit."""

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
    """Compute the Grad-CAM saliency map of `photo` for `species`.

    It is the sum of the last convolutional layer's channels, each weighted by its gradient of the
    logit (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017), at a resolution of 32 pixels of the network's input.

    Thread-safe: the model is neither changed nor hooked, and may serve others meanwhile.

    Args:
        model: a trained model, on any device.
        photo: an RGB photo of any size.
        species: one of `model.class_names`; the predicted one by default.

    Returns:
        A map (height, width) of the photo's size, float32, from 0 to 1. It is 0 outside the center
        crop that the network sees, and everywhere if nothing raises the logit.

    Raises:
        ValueError: the model does not know `species`.
    """
    # Imported here, because it loads OpenCV and scikit-learn.
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = None if species is None else [_target(model, species, ClassifierOutputTarget)]
    network = _HookableNetwork(model.classifier)
    photos = model.preprocessing(photo)[None]
    # The caller's thread may have disabled gradients.
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
        raise ValueError(f"{species!r} is not among {', '.join(model.class_names)}")
    return kind(model.class_names.index(species))


class _HookableNetwork(nn.Module):
    """Wrap a classifier for one explanation, with hooks and gradients of its own.

    It shares the classifier's weights but none of its modules, so that threads do not see each
    other's hooks. Gradients go back to the last feature maps only, which costs little more than a
    prediction.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.feature_maps = nn.Identity()
        self.weight = nn.Parameter(classifier.head.weight.detach(), requires_grad=False)
        self.bias = nn.Parameter(classifier.head.bias.detach(), requires_grad=False)
        self._convolutions, self._pooling = _split_trunk(classifier.trunk)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            maps = self._convolutions(photos.contiguous(memory_format=torch.channels_last))
        features = self._pooling(self.feature_maps(maps.requires_grad_()))
        return nn.functional.linear(features, self.weight, self.bias)


def _split_trunk(trunk: nn.Module) -> tuple[Layers, Layers]:
    """Split a trunk into photos → feature maps (N, C, h, w) and feature maps → features (N, C)."""
    if isinstance(trunk, nn.Sequential):  # as `split_torchvision` makes it
        convolutions, *pooling = trunk
        # Functions, because modules would be registered as submodules.
        return lambda photos: convolutions(photos), lambda maps: _apply(pooling, maps)
    timm_model: Any = trunk
    return timm_model.forward_features, timm_model.forward_head


def _apply(layers: list[nn.Module], values: torch.Tensor) -> torch.Tensor:
    for layer in layers:
        values = layer(values)
    return values
