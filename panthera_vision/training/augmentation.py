"""Data augmentation: random zoom-out, crop, flip, color jitter and grayscale."""

import math
from dataclasses import dataclass
from random import Random

import torch
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

from panthera_vision.models.backbone_names import ImageSize
from panthera_vision.models.backbones import Backbone
from panthera_vision.models.preprocessing import Preprocessing

_ASPECT_RATIOS = (3 / 4, 4 / 3)
_GRAYSCALE_PROBABILITY = 0.1
_MAX_ZOOM_OUT = 2.5


def training_size(backbone: Backbone, wanted: ImageSize = "auto") -> int:
    """Return the side of augmented photos in pixels, by default about 3/4 of that in use.

    Random crops enlarge the animal, so training at a smaller size shows it at the scale of use
    (Touvron et al., "Fixing the Train-Test Resolution Discrepancy", NeurIPS 2019), in half the
    time.

    Args:
        backbone: networks with a fixed size, and those whose weights were published with a size
            for training, keep it.
        wanted: the size, or "auto".
    """
    if wanted != "auto":
        return wanted
    size = backbone.preprocessing.image_size
    if backbone.train_size != size or "img_size" in backbone.architecture.arguments:
        return backbone.train_size
    return max(32, size * 3 // 4 // 32 * 32)


@dataclass(frozen=True)
class Augmentation:
    """Turn a photo into a randomly augmented, normalized tensor.

    Attributes:
        preprocessing: gives the size and the normalization.
        min_crop_scale: smallest share of the photo's area that a random crop keeps.
        color_jitter: strength of brightness, contrast and saturation jitter, 0 to 1.
        zoom_out: probability that the photo is placed on a larger canvas of its mean color
            (Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016).
    """

    preprocessing: Preprocessing
    min_crop_scale: float
    color_jitter: float
    zoom_out: float

    @property
    def min_decoded_side(self) -> int:
        """Return the shorter side, in pixels, that suffices for the smallest crops."""
        return math.ceil(2 * self.preprocessing.image_size / math.sqrt(self.min_crop_scale))

    def __call__(self, photo: Image.Image, random: Random) -> torch.Tensor:
        """Return a tensor (3, image_size, image_size) that depends on `random`'s state alone."""
        size = self.preprocessing.image_size
        if random.random() < self.zoom_out:
            photo = self._zoomed_out(photo, random)
        square = transforms.resized_crop(
            photo,
            *self._crop_box(photo, random),
            [size, size],
            interpolation=transforms.InterpolationMode.BICUBIC,
        )
        if random.random() < 0.5:
            square = transforms.horizontal_flip(square)
        jitter = self.color_jitter
        square = transforms.adjust_brightness(square, random.uniform(1 - jitter, 1 + jitter))
        square = transforms.adjust_contrast(square, random.uniform(1 - jitter, 1 + jitter))
        square = transforms.adjust_saturation(square, random.uniform(1 - jitter, 1 + jitter))
        square = transforms.adjust_hue(square, random.uniform(-jitter, jitter) / 10)
        if random.random() < _GRAYSCALE_PROBABILITY:  # like an infrared camera trap at night
            square = transforms.rgb_to_grayscale(square, num_output_channels=3)
        return self.preprocessing.normalize(square)

    def _zoomed_out(self, photo: Image.Image, random: Random) -> Image.Image:
        """Place the photo at random on a larger canvas of its mean color."""
        factor = random.uniform(1, _MAX_ZOOM_OUT)
        width, height = round(photo.width * factor), round(photo.height * factor)
        canvas = photo.resize((1, 1), Image.Resampling.BOX).resize((width, height))
        left = random.randint(0, width - photo.width)
        canvas.paste(photo, (left, random.randint(0, height - photo.height)))
        return canvas

    def _crop_box(self, photo: Image.Image, random: Random) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of a crop of random area and aspect ratio."""
        for _ in range(10):
            area = photo.width * photo.height * random.uniform(self.min_crop_scale, 1)
            ratio = math.exp(random.uniform(*map(math.log, _ASPECT_RATIOS)))
            width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < width <= photo.width and 0 < height <= photo.height:
                top = random.randint(0, photo.height - height)
                left = random.randint(0, photo.width - width)
                return top, left, height, width
        side = min(photo.size)  # a photo too narrow for these ratios: a center crop
        return (photo.height - side) // 2, (photo.width - side) // 2, side, side
