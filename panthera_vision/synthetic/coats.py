"""Coat patterns as textures: how dark the coat is at each point of an animal.

Coordinates are the animal's own: its body is about two units long and one unit high, the head
at positive u, the back at negative v.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

Array = np.ndarray
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Coat:
    """One individual's coat.

    Attributes:
        species: its scientific name.
        base, belly, mark: colours of the ground, the underside and the pattern, 0 to 1.
        pattern: gives the pattern's strength, 0 to 1, at arrays u and v of the same shape.
        mane: how much of a mane there is, 0 to 1.
    """

    species: str
    base: Colour
    belly: Colour
    mark: Colour
    pattern: Callable[[Array, Array], Array]
    mane: float = 0.0


class _Warp:
    """Smooth random displacement, so that no two individuals are marked alike."""

    def __init__(self, random: np.random.Generator, smoothness: float) -> None:
        field = gaussian_filter(random.normal(size=(2, 96, 96)), (0, smoothness, smoothness))
        self._field = field / field.std()

    def first(self, u: Array, v: Array) -> Array:
        """One displacement, where the other is not needed."""
        return self._at(self._field[0], u, v)

    def __call__(self, u: Array, v: Array) -> tuple[Array, Array]:
        return self._at(self._field[0], u, v), self._at(self._field[1], u, v)

    @staticmethod
    def _at(field: Array, u: Array, v: Array) -> Array:
        places = np.stack([(v + 2) * 24, (u + 2) * 24])
        values: Array = map_coordinates(field, places, order=1, mode="reflect")
        return values


def _soft_step(value: Array, softness: float) -> Array:
    return np.clip(value / softness + 0.5, 0, 1)


def _plain(random: np.random.Generator) -> Callable[[Array, Array], Array]:
    warp = _Warp(random, 3)

    def pattern(u: Array, v: Array) -> Array:
        mottling = warp.first(u, v)
        return np.clip(0.06 + 0.04 * mottling, 0, 1)

    return pattern


def _stripes(random: np.random.Generator) -> Callable[[Array, Array], Array]:
    warp, breadth = _Warp(random, 5), _Warp(random, 3)
    frequency = random.uniform(4.2, 6.0)
    phase = random.uniform(0, 1)

    def pattern(u: Array, v: Array) -> Array:
        shift = warp.first(u, v)
        width, gaps = breadth(u * 1.4, v)
        wave = np.cos(2 * np.pi * (u * frequency + 0.28 * shift + phase))
        # Broad at the back, pointed towards the belly, broken here and there.
        stripe = _soft_step(wave - 0.35 - 0.5 * np.clip(v, -0.5, 0.6) - 0.18 * width, 0.25)
        unbroken: Array = stripe * _soft_step(gaps + 1.5, 0.4)
        return unbroken

    return pattern


def _rosettes(
    random: np.random.Generator,
    *,
    spacing: float,
    thickness: float,
    dots: bool,
    softness: float,
    strength: float,
) -> Callable[[Array, Array], Array]:
    radius = 0.31 * spacing
    step = spacing * np.array([1.0, 0.87])
    columns, rows = np.meshgrid(np.arange(-2.2, 2.2, step[0]), np.arange(-1.6, 1.6, step[1]))
    columns[1::2] += step[0] / 2
    centres = np.stack([columns.ravel(), rows.ravel()], axis=1)
    centres += random.normal(scale=0.13 * spacing, size=centres.shape)
    tree = cKDTree(centres)
    sizes = random.uniform(0.8, 1.15, len(centres))
    gap_phases = random.uniform(0, 2 * np.pi, len(centres))
    gap_counts = random.integers(2, 5, len(centres))
    dot_offsets = random.normal(scale=0.3 * radius, size=(len(centres), 2, 2))
    warp = _Warp(random, 3)

    def pattern(u: Array, v: Array) -> Array:
        shift_u, shift_v = warp(u, v)
        places = np.stack([u + 0.012 * shift_u, v + 0.012 * shift_v], axis=-1)
        distance, nearest = tree.query(places)
        size = sizes[nearest]
        offset = places - centres[nearest]
        angle = np.arctan2(offset[..., 1], offset[..., 0])
        # A ring, broken in two to four places; small and solid on head, legs and far ends.
        ring = _soft_step(thickness - np.abs(distance / size - radius), softness)
        ring *= _soft_step(np.cos(gap_counts[nearest] * angle + gap_phases[nearest]) + 0.78, 0.5)
        spot = _soft_step(0.55 * radius - distance / size, softness)
        far = np.clip((np.hypot(u / 1.05, v / 0.55) - 0.85) * 4, 0, 1)
        marks = ring * (1 - far) + spot * far
        if dots:
            for dot in range(2):
                inner = np.linalg.norm(offset - dot_offsets[nearest, dot], axis=-1)
                marks = np.maximum(marks, _soft_step(0.2 * radius - inner, softness) * (1 - far))
        else:
            # Inside a leopard's rosette the ground is a shade darker.
            marks = np.maximum(marks, 0.22 * (distance / size < radius) * (1 - far))
        return strength * marks

    return pattern


def _tint(random: np.random.Generator, colour: Colour, spread: float = 0.05) -> Colour:
    values = np.clip(
        np.array(colour) * random.uniform(0.9, 1.1) + random.normal(0, spread, 3), 0, 1
    )
    return (float(values[0]), float(values[1]), float(values[2]))


def draw_coat(species: str, random: np.random.Generator) -> Coat:
    """An individual of `species`, with its own colours and markings."""
    if species == "Panthera leo":
        return Coat(
            species,
            _tint(random, (0.76, 0.60, 0.38)),
            _tint(random, (0.86, 0.76, 0.58)),
            _tint(random, (0.38, 0.25, 0.12)),
            _plain(random),
            mane=float(random.choice([0.0, 0.0, 0.6, 1.0])),
        )
    if species == "Panthera tigris":
        return Coat(
            species,
            _tint(random, (0.83, 0.48, 0.16)),
            _tint(random, (0.93, 0.87, 0.76)),
            _tint(random, (0.10, 0.07, 0.05), 0.02),
            _stripes(random),
        )
    if species == "Panthera onca":
        return Coat(
            species,
            _tint(random, (0.78, 0.57, 0.28)),
            _tint(random, (0.90, 0.82, 0.66)),
            _tint(random, (0.12, 0.08, 0.04), 0.02),
            _rosettes(
                random,
                spacing=random.uniform(0.28, 0.40),
                thickness=0.034,
                dots=True,
                softness=0.025,
                strength=1.0,
            ),
        )
    if species == "Panthera pardus":
        return Coat(
            species,
            _tint(random, (0.80, 0.62, 0.34)),
            _tint(random, (0.92, 0.85, 0.70)),
            _tint(random, (0.14, 0.09, 0.05), 0.02),
            _rosettes(
                random,
                spacing=random.uniform(0.19, 0.27),
                thickness=0.024,
                dots=False,
                softness=0.02,
                strength=1.0,
            ),
        )
    if species == "Panthera uncia":
        return Coat(
            species,
            _tint(random, (0.74, 0.72, 0.68), 0.03),
            _tint(random, (0.90, 0.89, 0.86), 0.03),
            _tint(random, (0.27, 0.26, 0.26), 0.02),
            _rosettes(
                random,
                spacing=random.uniform(0.26, 0.40),
                thickness=0.04,
                dots=False,
                softness=0.075,
                strength=0.8,
            ),
        )
    raise ValueError(f"no coat is known for {species!r}")
