"""The one way from a photo to a tensor, for validation, test, embedding and the apps alike."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as transforms


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the middle, normalise.

    Attributes:
        image_size: side of the square that the network sees, in pixels.
        crop_pct: that side as a share of the resized photo's shorter side.
        mean: of red, green and blue, on a scale of 0 to 1.
        std: likewise.
    """

    image_size: int
    crop_pct: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def shorter_side(self) -> int:
        """The shorter side of the resized photo, before the crop, in pixels."""
        return round(self.image_size / self.crop_pct)

    @property
    def min_decoded_side(self) -> int:
        """Photos may be decoded to a shorter side of this, in pixels, and look the same resized."""
        return 2 * self.shorter_side

    def __call__(self, photo: Image.Image) -> torch.Tensor:
        """A float tensor of shape (3, image_size, image_size) from an RGB photo."""
        return self.normalise(self.crop(photo))

    def crop(self, photo: Image.Image) -> Image.Image:
        """The square that the network sees, as a picture."""
        resized = transforms.resize(
            photo, [self.shorter_side], interpolation=transforms.InterpolationMode.BICUBIC
        )
        square: Image.Image = transforms.center_crop(resized, [self.image_size, self.image_size])
        return square

    def seen_box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the square that `crop` keeps, in the photo's pixels."""
        scale = min(width, height) / self.shorter_side
        side = self.image_size * scale
        left, top = (width - side) / 2, (height - side) / 2
        return left, top, left + side, top + side

    def normalise(self, square: Image.Image) -> torch.Tensor:
        """The normalised tensor of a square RGB picture."""
        # As one multiplication and one addition: many photos spend much of their time here.
        deviation = torch.tensor(self.std)
        scale, shift = 1 / (255 * deviation), -torch.tensor(self.mean) / deviation
        pixels = torch.from_numpy(np.array(square)).float()
        return pixels.mul_(scale).add_(shift).permute(2, 0, 1)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
