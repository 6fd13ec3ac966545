"""Aligned comparison of two photos: do they show the same shot, cropped, mirrored or stretched?

One is resized by many factors, mirrored as well, and slid across the other like a template; the
score is the highest zero-mean normalized cross-correlation (NCC). Source: J. P. Lewis, "Fast
Template Matching" (Vision Interface, 1995).
"""

from functools import lru_cache

import numpy as np
from PIL import Image
from scipy.fft import irfft2, rfft2
from scipy.ndimage import gaussian_filter1d

# From here on, two photos show the same shot: chosen on pairs of real photos, see docs/search.md.
SAME_SHOT = 0.65

SIDE = 64  # pixels
# Half of it is enough to find out where two photos may fit, and that most pairs fit nowhere.
_COARSE = 2
_MAY_FIT = 0.4
# Coarser structure says where the light is, not what is seen: skies and shadows are all alike.
_BLUR = 1 / 16  # of the side
# The middle of a template is enough, so that photos cropped at different sides are found, too.
_MIDDLE = 0.8
_STEP = 0.9
_SMALLEST = 0.5
_MOST_STRETCHED = 1.45
# Of 255 brightness levels: less contrast is noise.
_MIN_CONTRAST = 1.0

Scale = tuple[float, float]


def small_gray(photo: Image.Image) -> np.ndarray:
    """Reduce a photo to what is compared: (64, 64), uint8, whatever its aspect ratio."""
    gray = photo.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(gray)


def aligned_correlations(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the correlation of each pair of photos where they fit best, at most 1: (P,).

    Args:
        ones, others: of `small_gray` (P, 64, 64). Either photo of a pair may be a part of the
            other, of at least half of each side; its aspect ratio may differ by 45%.
    """
    ones, others = ones.astype(np.float32), others.astype(np.float32)
    # Most copies have their original's size and cut: one look tells.
    best = _best_fits(ones, others, ((1.0, 1.0),))[0]
    for pictures, templates in ((ones, others), (others, ones)):
        rest = np.flatnonzero(best < SAME_SHOT)
        if len(rest):
            best[rest] = np.maximum(best[rest], _search_scales(pictures[rest], templates[rest]))
    return best


def _search_scales(pictures: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Return the highest correlations with templates of any scale: a coarse search, then a fine."""
    scores, scales = _best_fits(_halved(pictures), _halved(templates), _coarse_scales())
    for row in np.flatnonzero(scores >= _MAY_FIT):
        near = _near(_coarse_scales()[scales[row]])
        scores[row] = _best_fits(pictures[row : row + 1], templates[row : row + 1], near)[0][0]
    return scores


def _best_fits(
    pictures: np.ndarray, templates: np.ndarray, scales: tuple[Scale, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest correlation of each template over `scales`, and the scale's number."""
    count, side = templates.shape[:2]
    blur = _blurring(side, side)
    pixels = pictures - blur @ pictures @ blur.T
    spectra = rfft2(pixels)[:, None]
    sums, squares = (_integral_images(values) for values in (pixels, pixels**2))
    canvas = np.zeros((count, 2, side, side), dtype=np.float32)
    scores = np.empty((count, len(scales)), dtype=np.float32)
    for number, (height, width) in enumerate(scales):
        parts = _resized_middles(templates, height, width)
        rows, columns = parts.shape[1:]
        canvas.fill(0)
        canvas[:, 0, :rows, :columns] = parts
        canvas[:, 1, :rows, :columns] = parts[:, :, ::-1]
        products = irfft2(spectra * np.conj(rfft2(canvas)), (side, side))
        # A template fits inside the picture, so that what wraps around is never looked at.
        inside = products[:, :, : side - rows + 1, : side - columns + 1].max(axis=1)
        deviation = _windows(squares, rows, columns) - _windows(sums, rows, columns) ** 2 / (
            rows * columns
        )
        contrast = np.sqrt(np.maximum(deviation, rows * columns * _MIN_CONTRAST**2))
        scores[:, number] = (inside / contrast).max(axis=(1, 2))
    best = scores.argmax(axis=1)
    return scores[np.arange(count), best], best


def _integral_images(values: np.ndarray) -> np.ndarray:
    """Return the sums of all values above and to the left: (P, side + 1, side + 1)."""
    sums = values.cumsum(axis=1, dtype=np.float64).cumsum(axis=2)
    return np.pad(sums, ((0, 0), (1, 0), (1, 0)))


def _windows(integral: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return the sum over each window of this size (P, side + 1 - rows, side + 1 - columns)."""
    strips = integral[:, rows:] - integral[:, :-rows]
    return np.asarray(strips[:, :, columns:] - strips[:, :, :-columns])


def _resized_middles(photos: np.ndarray, height: float, width: float) -> np.ndarray:
    """Return the fine structure of the middles of resized photos: zero mean, unit norm."""
    rows, blurred_rows = _resizing(photos.shape[1], height)
    columns, blurred_columns = _resizing(photos.shape[2], width)
    parts = rows @ photos @ columns.T - blurred_rows @ photos @ blurred_columns.T
    parts = parts - parts.mean(axis=(1, 2), keepdims=True)
    norms = np.sqrt((parts**2).sum(axis=(1, 2), keepdims=True))
    return np.asarray(parts / np.maximum(norms, _MIN_CONTRAST * np.sqrt(parts[0].size)))


@lru_cache
def _resizing(side: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return matrices that resize a line of pixels and cut out its middle, sharp and blurred."""
    length = round(side * scale)
    line = Image.fromarray(np.eye(side, dtype=np.float32))
    resized = np.asarray(line.resize((side, length), Image.Resampling.BILINEAR))
    kept = round(length * _MIDDLE)
    middle = slice((length - kept) // 2, (length - kept) // 2 + kept)
    return resized[middle], (_blurring(length, side) @ resized)[middle]


@lru_cache
def _blurring(length: int, side: int) -> np.ndarray:
    """Return the matrix that blurs a line of pixels (length, length) as a picture of `side`."""
    line = np.eye(length, dtype=np.float32)
    return np.asarray(gaussian_filter1d(line, _BLUR * side, axis=0, mode="nearest"))


@lru_cache
def _coarse_scales() -> tuple[Scale, ...]:
    steps = range(int(np.log(_SMALLEST) / np.log(_STEP)) + 1)
    stretch = np.log(_MOST_STRETCHED) / -np.log(_STEP)
    return tuple((_STEP**i, _STEP**j) for i in steps for j in steps if abs(i - j) <= stretch)


def _near(scale: Scale) -> tuple[Scale, ...]:
    """Return a scale and those half a step around it."""
    half = _STEP**0.5
    near = [[min(1.0, side * factor) for factor in (half, 1.0, 1 / half)] for side in scale]
    return tuple((height, width) for height in near[0] for width in near[1])


def _halved(photos: np.ndarray) -> np.ndarray:
    count, side = len(photos), photos.shape[1] // _COARSE
    blocks = photos.reshape(count, side, _COARSE, side, _COARSE)
    return np.asarray(blocks.mean(axis=(2, 4)), dtype=np.float32)
