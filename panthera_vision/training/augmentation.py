"""Random crops, flips, light and colour: what a training photo may look like another time."""

import math
from dataclasses import dataclass
from random import Random

import torch
from PIL import Image
from torchvision.transforms.v2 import functional as transforms

from panthera_vision.models.preprocessing import Preprocessing

_ASPECT_RATIOS = (3 / 4, 4 / 3)
_GREY_SHARE = 0.1
_FARTHEST = 2.5


@dataclass(frozen=True)
class Augmentation:
    """A photo as a normalised tensor, cropped, flipped and tinted at random.

    Attributes:
        preprocessing: gives the size and the normalisation.
        min_crop_scale: the least share of the photo's area that a crop keeps.
        color_jitter: how far brightness, contrast and saturation may go, 0 to 1.
        zoom_out: the share of photos that are shown from farther away, on a ground of their mean
            colour; from Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016.
    """

    preprocessing: Preprocessing
    min_crop_scale: float
    color_jitter: float
    zoom_out: float

    @property
    def min_decoded_side(self) -> int:
        """As `Preprocessing.min_decoded_side`, for the smallest crops."""
        return math.ceil(2 * self.preprocessing.image_size / math.sqrt(self.min_crop_scale))

    def __call__(self, photo: Image.Image, random: Random) -> torch.Tensor:
        """A tensor (3, image_size, image_size), the same for the same state of `random`."""
        size = self.preprocessing.image_size
        if random.random() < self.zoom_out:
            photo = self._from_farther(photo, random)
        top, left, height, width = self._crop(photo, random)
        square = transforms.resized_crop(
            photo,
            top,
            left,
            height,
            width,
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
        if random.random() < _GREY_SHARE:  # as an infra-red camera sees at night
            square = transforms.rgb_to_grayscale(square, num_output_channels=3)
        return self.preprocessing.normalize(square)

    def _from_farther(self, photo: Image.Image, random: Random) -> Image.Image:
        """The photo somewhere on a larger, plain ground."""
        factor = random.uniform(1, _FARTHEST)
        width, height = round(photo.width * factor), round(photo.height * factor)
        ground = photo.resize((1, 1), Image.Resampling.BOX).resize((width, height))
        left = random.randint(0, width - photo.width)
        ground.paste(photo, (left, random.randint(0, height - photo.height)))
        return ground

    def _crop(self, photo: Image.Image, random: Random) -> tuple[int, int, int, int]:
        """Top, left, height and width of a crop of random area and shape."""
        for _ in range(10):
            area = photo.width * photo.height * random.uniform(self.min_crop_scale, 1)
            ratio = math.exp(random.uniform(*map(math.log, _ASPECT_RATIOS)))
            width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < width <= photo.width and 0 < height <= photo.height:
                top = random.randint(0, photo.height - height)
                left = random.randint(0, photo.width - width)
                return top, left, height, width
        side = min(photo.size)  # of a photo too narrow for any such shape: its middle
        return (photo.height - side) // 2, (photo.width - side) // 2, side, side
