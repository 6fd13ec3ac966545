"""The world's land, for a map that needs no internet.

`land.png` has half a degree a pixel, white where at least half of it is land. Made from GLOBE, the
Global Land One-kilometer Base Elevation (NOAA, 1999), which is in the public domain.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

_LAND = Path(__file__).with_name("land.png")
_DEGREES = 0.5


@cache
def land() -> pd.DataFrame:
    """Rectangles of land, in degrees: `west`, `east`, `south`, `north`."""
    with Image.open(_LAND) as picture:
        mask = np.asarray(picture.convert("1"))
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    north = 90 - rows * _DEGREES
    return pd.DataFrame(
        {
            "west": starts * _DEGREES - 180,
            "east": ends * _DEGREES - 180,
            "south": north - _DEGREES,
            "north": north,
        }
    )
