"""Perturbed copies of photos: mirrored, cropped, darker, brighter, downscaled.

A search should find the original with each of them. The photo's name seeds the strength, so that a
copy is the same whenever it is made.
"""

import io
from collections.abc import Callable
from random import Random

from PIL import Image, ImageEnhance, ImageOps

Perturbation = Callable[[Image.Image, Random], Image.Image]


def mirror(photo: Image.Image, random: Random) -> Image.Image:
    """Flip left and right."""
    return ImageOps.mirror(photo)


def crop(photo: Image.Image, random: Random) -> Image.Image:
    """Crop to 70% to 90% of each side, anywhere."""
    share = random.uniform(0.7, 0.9)
    width, height = max(1, round(photo.width * share)), max(1, round(photo.height * share))
    left, top = random.randint(0, photo.width - width), random.randint(0, photo.height - height)
    return photo.crop((left, top, left + width, top + height))


def darken(photo: Image.Image, random: Random) -> Image.Image:
    """Reduce the brightness to 55% to 75%."""
    return ImageEnhance.Brightness(photo).enhance(random.uniform(0.55, 0.75))


def brighten(photo: Image.Image, random: Random) -> Image.Image:
    """Raise the brightness to 130% to 160%, which clips the highlights."""
    return ImageEnhance.Brightness(photo).enhance(random.uniform(1.3, 1.6))


def save_small(photo: Image.Image, random: Random) -> Image.Image:
    """Resize to about half of each side, as thumbnails are, and save as JPEG, quality 40 to 60."""
    share = random.uniform(0.45, 0.6)
    size = max(1, round(photo.width * share)), max(1, round(photo.height * share))
    buffer = io.BytesIO()
    photo.resize(size, Image.Resampling.BICUBIC).save(
        buffer, format="JPEG", quality=random.randint(40, 60)
    )
    return Image.open(buffer).convert("RGB")


def all_at_once(photo: Image.Image, random: Random) -> Image.Image:
    """Crop, mirror, darken or brighten, and save small."""
    light = random.choice((darken, brighten))
    for perturbation in (crop, mirror, light, save_small):
        photo = perturbation(photo, random)
    return photo


PERTURBATIONS: dict[str, Perturbation] = {
    "mirrored": mirror,
    "cropped": crop,
    "darker": darken,
    "brighter": brighten,
    "saved small": save_small,
    "all at once": all_at_once,
}


def perturb(photo: Image.Image, perturbation: str, name: str) -> Image.Image:
    """Return a perturbed copy of an RGB photo; deterministic for a photo's `name`."""
    return PERTURBATIONS[perturbation](photo, Random(f"{perturbation} {name}"))
