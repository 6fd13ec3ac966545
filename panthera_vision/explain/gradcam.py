"""Grad-CAM: a saliency map of the pixels that raise a species' logit."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from PIL import Image
from torch import nn

from panthera_vision.explain.feature_maps import FeatureMaps, find_feature_maps, share_weights
from panthera_vision.models.checkpoint import TrainedModel

# Found once per network: finding them costs a pass through it.
_known: WeakKeyDictionary[nn.Module, FeatureMaps] = WeakKeyDictionary()


def grad_cam(model: TrainedModel, photo: Image.Image, species: str | None = None) -> np.ndarray:
    """Compute the Grad-CAM saliency map of `photo` for `species`.

    It is the sum of the channels of the last feature maps, or of the patch tokens that the last
    attention reads, each weighted by its mean gradient of the logit (Selvaraju et al., "Grad-CAM:
    Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017), at the
    resolution of those maps, mostly 14 to 32 pixels of the network's input.

    Thread-safe: the model is neither changed nor hooked, and may serve others meanwhile.

    Args:
        model: a trained model, on any device.
        photo: an RGB photo of any size.
        species: one of `model.class_names`; the predicted one by default.

    Returns:
        A map (height, width) of the photo's size, float32, from 0 to 1. It is 0 outside the center
        crop that the network sees, and everywhere if nothing raises the logit.

    Raises:
        NotExplainableError: the network has no feature maps that could be shown.
        ValueError: the model does not know `species`.
    """
    # Imported here, because it loads OpenCV and scikit-learn.
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = None if species is None else [_target(model, species, ClassifierOutputTarget)]
    device = model.classifier.head.weight.device
    photos = model.preprocessing(photo)[None].to(device, memory_format=torch.channels_last)
    network = share_weights(model.classifier)
    if model.classifier not in _known:
        _known[model.classifier] = find_feature_maps(network, photos)
    found = _known[model.classifier]
    layer = network.get_submodule(found.layer)
    # Gradients go back to this layer only, which costs little more than a prediction.
    layer.register_forward_hook(lambda *call: call[2].detach().requires_grad_().clone())
    # The caller's thread may have disabled gradients.
    with torch.inference_mode(False), torch.enable_grad():
        square = GradCAM(network, [layer], found.to_maps)(photos, targets)[0]
    left, top, right, bottom = (
        round(edge) for edge in model.preprocessing.seen_box(photo.width, photo.height)
    )
    seen = Image.fromarray(square).resize(
        (max(right - left, 1), max(bottom - top, 1)), Image.Resampling.BILINEAR
    )
    attention = np.zeros((photo.height, photo.width), dtype=np.float32)
    attention[top : top + seen.height, left : left + seen.width] = np.asarray(seen).clip(0, 1)
    return attention


def _target(model: TrainedModel, species: str, kind: Callable[[int], Any]) -> Any:
    if species not in model.class_names:
        raise ValueError(f"{species!r} is not among {', '.join(model.class_names)}")
    return kind(model.class_names.index(species))
