"""Preprocessing: resize, center crop, normalize; the same for validation, search and the apps."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from PIL import Image

Interpolation = Literal["bilinear", "bicubic"]
CropMode = Literal["center", "squash"]
INTERPOLATIONS, CROP_MODES = get_args(Interpolation), get_args(CropMode)


@dataclass(frozen=True)
class Preprocessing:
    """Resize the shorter side, crop the center, normalize.

    Attributes:
        image_size: side of the network's square input, in pixels.
        crop_pct: that side as a fraction of the resized photo's shorter side.
        mean: of red, green and blue, on a scale of 0 to 1.
        std: likewise.
        interpolation: of the resizing; Pillow's filters, which are antialiased.
        crop_mode: "squash" resizes the whole photo to a square before the crop, whatever its shape.
    """

    image_size: int
    crop_pct: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Interpolation = "bicubic"
    crop_mode: CropMode = "center"

    @property
    def shorter_side(self) -> int:
        """Return the shorter side of the resized photo before the crop, in pixels."""
        return round(self.image_size / self.crop_pct)

    @property
    def min_decoded_side(self) -> int:
        """Return the shorter side, in pixels, that suffices when a JPEG is decoded at a scale."""
        return 2 * self.shorter_side

    def __call__(self, photo: Image.Image) -> torch.Tensor:
        """Return the network's input (3, image_size, image_size), float32, of an RGB photo."""
        return self.normalize(self.crop(photo))

    def crop(self, photo: Image.Image) -> Image.Image:
        """Resize and crop `photo` to the square that the network sees."""
        size, shorter = self.image_size, min(photo.size)
        width, height = (int(self.shorter_side * side / shorter) for side in photo.size)
        if self.crop_mode == "squash":
            width = height = self.shorter_side
        if photo.size != (width, height):
            photo = photo.resize((width, height), Image.Resampling[self.interpolation.upper()])
        left, top = round((width - size) / 2), round((height - size) / 2)
        return photo.crop((left, top, left + size, top + size))

    def seen_box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of what `crop` keeps, in photo pixels."""
        shorter = min(width, height)
        seen = [
            self.image_size / self.shorter_side * (side if self.crop_mode == "squash" else shorter)
            for side in (width, height)
        ]
        left, top = (width - seen[0]) / 2, (height - seen[1]) / 2
        return left, top, left + seen[0], top + seen[1]

    def normalize(self, square: Image.Image | np.ndarray) -> torch.Tensor:
        """Return an RGB image (height, width) as a normalized tensor (3, height, width).

        An array of its pixels (height, width, 3), uint8, will do.
        """
        # One multiplication and one addition: preprocessing is a large part of the time per photo.
        std = torch.tensor(self.std)
        scale, shift = 1 / (255 * std), -torch.tensor(self.mean) / std
        pixels = torch.from_numpy(np.array(square)).float()
        return pixels.mul_(scale).add_(shift).permute(2, 0, 1)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
