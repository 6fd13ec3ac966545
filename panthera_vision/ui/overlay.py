"""A map over a photo."""

import matplotlib
import numpy as np
from PIL import Image

# Lightness rises evenly along it, so that it reads alike with any colour vision and in grey.
_COLOURS = "inferno"


def overlay(photo: Image.Image, attention: np.ndarray, strength: float) -> Image.Image:
    """`photo` with `attention` in colours over it, the denser the higher its values are.

    Args:
        photo: an RGB photo.
        attention: values from 0 to 1, (height, width) of the photo; where 0, the photo is as it is.
        strength: from 0, the photo alone, to 1, where the highest values hide it.
    """
    colours = matplotlib.colormaps[_COLOURS](attention)[..., :3].astype(np.float32) * 255
    density = strength * attention[..., None]
    pixels = np.asarray(photo, dtype=np.float32) * (1 - density) + colours * density
    return Image.fromarray(np.rint(pixels).astype(np.uint8))
