"""Procedural coat textures: mottling, stripes and rosettes at coordinates on the animal.

The animal's coordinates (u, v): its body is about two units long and one high, with the head at
positive u and the back at negative v.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

Array = np.ndarray
Pattern = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Coat:
    """Hold the coat of one individual.

    Attributes:
        species: its scientific name.
        base, belly, mark: RGB colors (3,) of the ground, the underside and the pattern, 0 to 1.
        pattern: returns the strength of the pattern, 0 to 1, at arrays u and v of the same shape.
        mane: size of the mane, 0 to 1.
    """

    species: str
    base: Array
    belly: Array
    mark: Array
    pattern: Pattern
    mane: float = 0.0


@dataclass(frozen=True)
class _RosetteStyle:
    """Set what rosettes look like; lengths in units of the animal.

    Attributes:
        spacing: range of the distance between rosettes.
        thickness: of a ring.
        softness: width of an edge.
        dots: whether there are dots inside, as a jaguar's; otherwise the inside is a shade darker.
        strength: of the pattern, 0 to 1.
    """

    spacing: tuple[float, float]
    thickness: float
    softness: float
    dots: bool = False
    strength: float = 1.0


# Base, belly and mark color, and the standard deviation of each between individuals.
_COLORS = {
    "Panthera leo": ((0.76, 0.60, 0.38), (0.86, 0.76, 0.58), (0.38, 0.25, 0.12)),
    "Panthera tigris": ((0.83, 0.48, 0.16), (0.93, 0.87, 0.76), (0.10, 0.07, 0.05)),
    "Panthera onca": ((0.78, 0.57, 0.28), (0.90, 0.82, 0.66), (0.12, 0.08, 0.04)),
    "Panthera pardus": ((0.80, 0.62, 0.34), (0.92, 0.85, 0.70), (0.14, 0.09, 0.05)),
    "Panthera uncia": ((0.74, 0.72, 0.68), (0.90, 0.89, 0.86), (0.27, 0.26, 0.26)),
}
_SPREADS = {"Panthera leo": (0.05, 0.05, 0.05), "Panthera uncia": (0.03, 0.03, 0.02)}
_USUAL_SPREADS = (0.05, 0.05, 0.02)
_ROSETTES = {
    "Panthera onca": _RosetteStyle((0.28, 0.40), thickness=0.034, softness=0.025, dots=True),
    "Panthera pardus": _RosetteStyle((0.19, 0.27), thickness=0.024, softness=0.02),
    "Panthera uncia": _RosetteStyle((0.26, 0.40), thickness=0.04, softness=0.075, strength=0.8),
}


def draw_coat(species: str, rng: np.random.Generator) -> Coat:
    """Draw a random individual of one of the five species, with its own colors and pattern."""
    spreads = _SPREADS.get(species, _USUAL_SPREADS)
    base, belly, mark = map(_vary, [rng] * 3, _COLORS[species], spreads)
    if species == "Panthera leo":
        pattern = _mottling(rng)
        return Coat(species, base, belly, mark, pattern, float(rng.choice([0.0, 0.0, 0.6, 1.0])))
    if species == "Panthera tigris":
        return Coat(species, base, belly, mark, _stripes(rng))
    return Coat(species, base, belly, mark, _rosettes(rng, _ROSETTES[species]))


def _vary(rng: np.random.Generator, color: tuple[float, ...], spread: float) -> Array:
    return np.clip(np.array(color) * rng.uniform(0.9, 1.1) + rng.normal(0, spread, 3), 0, 1)


def _value_noise(
    rng: np.random.Generator, smoothness: float
) -> Callable[[int, Array, Array], Array]:
    """Return a function that samples one of two channels of smooth noise, of deviation 1."""
    grid = gaussian_filter(rng.normal(size=(2, 96, 96)), (0, smoothness, smoothness))
    grid = grid / grid.std()

    def sample(channel: int, u: Array, v: Array) -> Array:
        cells = np.stack([(v + 2) * 24, (u + 2) * 24])
        values: Array = map_coordinates(grid[channel], cells, order=1, mode="reflect")
        return values

    return sample


def _soft_step(value: Array, softness: float) -> Array:
    return np.clip(value / softness + 0.5, 0, 1)


def _mottling(rng: np.random.Generator) -> Pattern:
    noise = _value_noise(rng, 3)
    return lambda u, v: np.clip(0.06 + 0.04 * noise(0, u, v), 0, 1)


def _stripes(rng: np.random.Generator) -> Pattern:
    warp, breadth = _value_noise(rng, 5), _value_noise(rng, 3)
    frequency = rng.uniform(4.2, 6.0)
    phase = rng.uniform(0, 1)

    def pattern(u: Array, v: Array) -> Array:
        shift, width, gaps = warp(0, u, v), breadth(0, u * 1.4, v), breadth(1, u * 1.4, v)
        wave = np.cos(2 * np.pi * (u * frequency + 0.28 * shift + phase))
        # Broad at the back, pointed towards the belly, with a few gaps.
        stripe = _soft_step(wave - 0.35 - 0.5 * np.clip(v, -0.5, 0.6) - 0.18 * width, 0.25)
        marks: Array = stripe * _soft_step(gaps + 1.5, 0.4)
        return marks

    return pattern


def _rosettes(rng: np.random.Generator, style: _RosetteStyle) -> Pattern:
    """Return rings around the points of a jittered hexagonal grid."""
    spacing = rng.uniform(*style.spacing)
    radius = 0.31 * spacing
    step = spacing * np.array([1.0, 0.87])
    columns, rows = np.meshgrid(np.arange(-2.2, 2.2, step[0]), np.arange(-1.6, 1.6, step[1]))
    columns[1::2] += step[0] / 2
    centers = np.stack([columns.ravel(), rows.ravel()], axis=1)
    centers += rng.normal(scale=0.13 * spacing, size=centers.shape)
    tree = cKDTree(centers)
    sizes = rng.uniform(0.8, 1.15, len(centers))
    gap_phases = rng.uniform(0, 2 * np.pi, len(centers))
    gap_counts = rng.integers(2, 5, len(centers))
    dot_offsets = rng.normal(scale=0.3 * radius, size=(len(centers), 2, 2))
    warp = _value_noise(rng, 3)

    def pattern(u: Array, v: Array) -> Array:
        points = np.stack([u + 0.012 * warp(0, u, v), v + 0.012 * warp(1, u, v)], axis=-1)
        distance, nearest = tree.query(points)
        size = sizes[nearest]
        offset = points - centers[nearest]
        angle = np.arctan2(offset[..., 1], offset[..., 0])
        # Rings with two to four gaps; small solid spots on head, legs and tail.
        ring = _soft_step(style.thickness - np.abs(distance / size - radius), style.softness)
        ring *= _soft_step(np.cos(gap_counts[nearest] * angle + gap_phases[nearest]) + 0.78, 0.5)
        spot = _soft_step(0.55 * radius - distance / size, style.softness)
        far = np.clip((np.hypot(u / 1.05, v / 0.55) - 0.85) * 4, 0, 1)
        marks = ring * (1 - far) + spot * far
        if style.dots:
            for dot in range(2):
                inner = np.linalg.norm(offset - dot_offsets[nearest, dot], axis=-1)
                dots = _soft_step(0.2 * radius - inner, style.softness) * (1 - far)
                marks = np.maximum(marks, dots)
        else:
            marks = np.maximum(marks, 0.22 * (distance / size < radius) * (1 - far))
        return style.strength * marks

    return pattern
