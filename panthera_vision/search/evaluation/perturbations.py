"""Copies of a photo as they go around: mirrored, cropped, lightened, saved small.

A search should find the original by each of them. How much a copy is altered is drawn by lot from
the photo's name, so that it is the same whenever it is made.
"""

import io
from collections.abc import Callable
from random import Random

from PIL import Image, ImageEnhance, ImageOps

Alteration = Callable[[Image.Image, Random], Image.Image]


def mirrored(photo: Image.Image, random: Random) -> Image.Image:
    """Left is right."""
    return ImageOps.mirror(photo)


def cropped(photo: Image.Image, random: Random) -> Image.Image:
    """70% to 90% of each side, from anywhere."""
    share = random.uniform(0.7, 0.9)
    width, height = max(1, round(photo.width * share)), max(1, round(photo.height * share))
    left, top = random.randint(0, photo.width - width), random.randint(0, photo.height - height)
    return photo.crop((left, top, left + width, top + height))


def darker(photo: Image.Image, random: Random) -> Image.Image:
    """55% to 75% of the brightness."""
    return ImageEnhance.Brightness(photo).enhance(random.uniform(0.55, 0.75))


def brighter(photo: Image.Image, random: Random) -> Image.Image:
    """130% to 160% of the brightness; the lightest parts are blown out."""
    return ImageEnhance.Brightness(photo).enhance(random.uniform(1.3, 1.6))


def saved_small(photo: Image.Image, random: Random) -> Image.Image:
    """About half of each side, as thumbnails are, at a JPEG quality of 40 to 60."""
    share = random.uniform(0.45, 0.6)
    size = max(1, round(photo.width * share)), max(1, round(photo.height * share))
    buffer = io.BytesIO()
    photo.resize(size, Image.Resampling.BICUBIC).save(
        buffer, format="JPEG", quality=random.randint(40, 60)
    )
    return Image.open(buffer).convert("RGB")


def all_at_once(photo: Image.Image, random: Random) -> Image.Image:
    """Cropped, mirrored, darker or brighter, saved small."""
    light = random.choice((darker, brighter))
    for alteration in (cropped, mirrored, light, saved_small):
        photo = alteration(photo, random)
    return photo


ALTERATIONS: dict[str, Alteration] = {
    "mirrored": mirrored,
    "cropped": cropped,
    "darker": darker,
    "brighter": brighter,
    "saved small": saved_small,
    "all at once": all_at_once,
}


def altered(photo: Image.Image, alteration: str, name: str) -> Image.Image:
    """An altered copy of an RGB photo, the same whenever it is made of the photo with this name."""
    return ALTERATIONS[alteration](photo, Random(f"{alteration} {name}"))
