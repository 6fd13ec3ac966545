"""Grad-CAM marks what raises a species' logit, at its place, and is thread-safe."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from panthera_vision.explain.gradcam import grad_cam
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import Backbone, find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import Classifier, pretrained_classifier
from panthera_vision.models.preprocessing import Preprocessing
from panthera_vision.ui.classification.overlay import blend_heatmap

from ..conftest import SPECIES, draw_photo


def trained(backbone: Backbone, classifier: Classifier) -> TrainedModel:
    return TrainedModel(
        classifier=classifier.eval(),
        backbone=backbone,
        class_names=SPECIES,
        preprocessing=backbone.preprocessing,
    )


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    torch.manual_seed(3)
    backbone = find_backbone("efficientnet_lite0", image_size=96)
    return trained(backbone, pretrained_classifier(backbone, SPECIES))


@pytest.fixture
def color_model() -> TrainedModel:
    """Return a handmade network: the first species is red, the second blue, the third nothing."""
    convolution = nn.Conv2d(3, 2, 8, stride=8, bias=False)
    head = nn.Linear(2, 3)
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[0, 0] = convolution.weight[1, 2] = 1 / 64
        head.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
        head.bias.zero_()
    trunk = nn.Sequential(nn.Sequential(convolution), nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
    return TrainedModel(
        classifier=Classifier(trunk, head).eval(),
        backbone=find_backbone("efficientnet_lite0"),
        class_names=("Felis rubra", "Felis caerulea", "Felis nulla"),
        preprocessing=Preprocessing(64, 0.8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    )


@pytest.fixture
def red_left_blue_right() -> Image.Image:
    """Return 400 × 200 pixels, of which the network sees columns 120-280 and rows 20-180."""
    pixels = np.zeros((200, 400, 3), np.uint8)
    pixels[60:100, 140:180] = (255, 0, 0)
    pixels[120:160, 220:260] = (0, 0, 200)
    return Image.fromarray(pixels)


def center(attention: np.ndarray) -> tuple[float, float]:
    """Return column and row of the center of mass."""
    rows, columns = np.indices(attention.shape)
    total = attention.sum()
    return float((columns * attention).sum() / total), float((rows * attention).sum() / total)


def test_map_marks_the_pixels_that_raise_the_species_logit(
    color_model: TrainedModel, red_left_blue_right: Image.Image
) -> None:
    for species, place in (("Felis rubra", (160, 80)), ("Felis caerulea", (240, 140))):
        attention = grad_cam(color_model, red_left_blue_right, species)
        assert (attention.shape, attention.dtype) == ((200, 400), np.float32)
        assert attention.max() == pytest.approx(1, abs=0.01)
        assert attention.min() == 0
        assert center(attention) == pytest.approx(place, abs=4)


def test_default_is_the_predicted_species_and_unknown_ones_are_an_error(
    color_model: TrainedModel, red_left_blue_right: Image.Image
) -> None:
    by_default = grad_cam(color_model, red_left_blue_right)
    assert np.array_equal(by_default, grad_cam(color_model, red_left_blue_right, "Felis rubra"))
    with pytest.raises(ValueError, match="'Panthera leo' is not among Felis rubra"):
        grad_cam(color_model, red_left_blue_right, "Panthera leo")


def test_map_is_zero_if_nothing_raises_the_logit(
    color_model: TrainedModel, red_left_blue_right: Image.Image
) -> None:
    attention = grad_cam(color_model, red_left_blue_right, "Felis nulla")
    assert attention.shape == (200, 400)
    assert not attention.any()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet_v2_s", "efficientnet_lite0"])
def test_map_has_the_photos_size_and_is_zero_outside_the_center_crop(name: str) -> None:
    torch.manual_seed(4)
    backbone = find_backbone(name, image_size=96)
    trunk, _ = backbone.build()
    model = trained(backbone, Classifier(trunk, nn.Linear(1280, len(SPECIES))))
    marked = 0.0
    for size in ((200, 90), (70, 333), (1, 3), (96, 96)):
        photo = draw_photo("Panthera tigris", 2, size)
        box = model.preprocessing.seen_box(*size)
        left, top, right, bottom = (round(edge) for edge in box)
        for species in SPECIES[:2]:
            attention = grad_cam(model, photo, species)
            assert (attention.shape, attention.dtype) == (size[::-1], np.float32)
            assert (attention >= 0).all()
            assert (attention <= 1).all()
            marked = max(marked, float(attention.max()))
            attention[top:bottom, left:right] = 0
            assert size == (1, 3) or not attention.any()
    assert marked > 0.5


@pytest.mark.parametrize("size", [(401, 200), (150, 333), (64, 64), (1600, 900)])
@pytest.mark.parametrize("crop_pct", [1.0, 0.875, 0.5])
def test_seen_box_is_the_area_that_crop_keeps(size: tuple[int, int], crop_pct: float) -> None:
    preprocessing = Preprocessing(64, crop_pct, (0, 0, 0), (1, 1, 1))
    columns, rows = np.arange(size[0]) / size[0], np.arange(size[1]) / size[1]
    left, top, right, bottom = preprocessing.seen_box(*size)
    for place, first, last in (
        (np.broadcast_to(columns, (size[1], size[0])), left / size[0], right / size[0]),
        (np.broadcast_to(rows[:, None], (size[1], size[0])).T, top / size[1], bottom / size[1]),
    ):
        ramp = Image.fromarray((place * 255).astype(np.uint8))
        if ramp.size != size:
            ramp = ramp.transpose(Image.Transpose.TRANSPOSE)
        square = np.asarray(preprocessing.crop(ramp.convert("RGB")))[..., 0]
        assert square.min() / 255 == pytest.approx(first, abs=0.03)
        assert square.max() / 255 == pytest.approx(last, abs=0.03)


def test_grad_cam_leaves_the_model_unchanged(model: TrainedModel) -> None:
    predictor = Predictor(model)
    photo = draw_photo("Panthera leo", 6)
    before = predictor.predict_image(photo)
    with torch.inference_mode():
        grad_cam(model, photo)
    assert predictor.predict_image(photo) == before
    for module in model.classifier.modules():
        assert not module._forward_hooks
        assert not module._backward_hooks
        assert not module.training
    for name, parameter in model.classifier.named_parameters():
        assert parameter.grad is None
        assert parameter.requires_grad == (not name.startswith("ood_head."))


def test_threads_share_a_model_without_mixing_maps_and_predictions(model: TrainedModel) -> None:
    predictor = Predictor(model)
    photos = [draw_photo(SPECIES[seed % 5], seed, (90 + seed, 70)) for seed in range(8)]
    maps = [grad_cam(model, photo) for photo in photos]
    predictions = [predictor.predict_image(photo) for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        later_maps = pool.map(lambda photo: grad_cam(model, photo), photos)
        later_predictions = pool.map(predictor.predict_image, photos)
        for one, other in zip(maps, later_maps, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)
        for before, after in zip(predictions, later_predictions, strict=True):
            assert after.probabilities == pytest.approx(before.probabilities, abs=1e-5)


def test_a_heatmap_is_blended_only_where_it_has_values() -> None:
    photo = draw_photo("Panthera onca", 1)
    attention = np.zeros((photo.height, photo.width), np.float32)
    assert np.array_equal(blend_heatmap(photo, attention, 1.0), photo)
    attention[10:20, 10:20] = 1
    assert np.array_equal(blend_heatmap(photo, attention, 0.0), photo)
    marked = np.asarray(blend_heatmap(photo, attention, 1.0))
    assert len(np.unique(marked[10:20, 10:20].reshape(-1, 3), axis=0)) == 1
    assert np.array_equal(marked[20:], np.asarray(photo)[20:])
