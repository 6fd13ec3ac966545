"""Blend a Grad-CAM heatmap over a photo."""

import matplotlib
import numpy as np
from PIL import Image

# The lightness of inferno rises evenly: it reads alike with any color vision, and in grey.
_COLORMAP = "inferno"


def blend_heatmap(photo: Image.Image, heatmap: np.ndarray, strength: float) -> Image.Image:
    """Blend `heatmap`, (height, width) of the RGB photo, from 0 to 1, over it.

    The opacity of a pixel is its value times `strength`: at 0 the photo is unchanged, at 1 the
    highest values hide it.
    """
    colors = matplotlib.colormaps[_COLORMAP](heatmap)[..., :3].astype(np.float32) * 255
    opacity = strength * heatmap[..., None]
    pixels = np.asarray(photo, dtype=np.float32) * (1 - opacity) + colors * opacity
    return Image.fromarray(np.rint(pixels).astype(np.uint8))
