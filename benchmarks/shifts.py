"""Apply synthetic distribution shifts to test photos: scale, crop, lighting, resolution, occlusion.

They are only a stand-in for a second source of photos, on which `quality.py --unseen` measures.
The code shares nothing with the training augmentation.
"""

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

Shift = Callable[[Image.Image, Random], Image.Image]


def far_away(photo: Image.Image, random: Random) -> Image.Image:
    """Shrink the photo to 35% to 50% of its size, on a blurred copy of itself."""
    ground = photo.filter(ImageFilter.GaussianBlur(photo.width / 37))
    share = random.uniform(0.35, 0.5)
    small = photo.resize((round(photo.width * share), round(photo.height * share)))
    left = random.randint(0, photo.width - small.width)
    ground.paste(small, (left, random.randint(0, photo.height - small.height)))
    return ground


def tight_crop(photo: Image.Image, random: Random) -> Image.Image:
    """Crop to half to two thirds of each side."""
    share = random.uniform(0.5, 0.65)
    width, height = round(photo.width * share), round(photo.height * share)
    left, top = random.randint(0, photo.width - width), random.randint(0, photo.height - height)
    return photo.crop((left, top, left + width, top + height)).resize(photo.size)


def other_light(photo: Image.Image, random: Random) -> Image.Image:
    """Change brightness, saturation and contrast, and add noise."""
    photo = ImageEnhance.Brightness(photo).enhance(random.choice((0.4, 1.6)))
    photo = ImageEnhance.Color(photo).enhance(random.choice((0.0, 0.4, 1.6)))
    photo = ImageEnhance.Contrast(photo).enhance(random.uniform(0.6, 1.4))
    noise = np.random.default_rng(random.randrange(2**32)).normal(
        0, 14, (photo.height, photo.width, 3)
    )
    return Image.fromarray(np.clip(np.asarray(photo) + noise, 0, 255).astype(np.uint8))


def low_resolution(photo: Image.Image, random: Random) -> Image.Image:
    """Downscale to 80 pixels in width, upscale, and blur."""
    height = max(1, round(80 * photo.height / photo.width))
    return photo.resize((80, height)).resize(photo.size).filter(ImageFilter.GaussianBlur(1))


def stretched(photo: Image.Image, random: Random) -> Image.Image:
    """Make the photo a third narrower or wider."""
    return photo.resize((round(photo.width * random.choice((0.67, 1.43))), photo.height))


def hidden(photo: Image.Image, random: Random) -> Image.Image:
    """Cover three squares of the photo, as leaves would."""
    photo = photo.copy()
    blurred = photo.filter(ImageFilter.GaussianBlur(photo.width / 18))
    shorter = min(photo.size)
    for _ in range(3):
        side = round(shorter * random.uniform(0.22, 0.4))
        left, top = random.randint(0, photo.width - side), random.randint(0, photo.height - side)
        photo.paste(blurred.crop((0, 0, side, side)), (left, top))
    return photo


SHIFTS: dict[str, Shift] = {
    "far away": far_away,
    "tight crop": tight_crop,
    "other light": other_light,
    "low resolution": low_resolution,
    "stretched": stretched,
    "partly hidden": hidden,
}
