"""Draw an animal in a pose, a place and a light, as a camera might see it.

The body is a skeleton of polylines with a radius at each joint, filled with overlapping circles.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from panthera_vision.synthetic.coats import Array, Coat

_SUPERSAMPLING = 2
SIZES = ((360, 270), (300, 400), (400, 300), (320, 320), (400, 266))
PLACES = ("savanna", "forest", "rock", "snow", "reeds")
LIGHTS = ("day", "day", "dusk", "overcast", "glare", "infra-red", "infra-red")

# Place → colors of the sky or upper background, of the ground, and of the blades of grass.
_PLACE_COLORS = {
    "savanna": ((0.70, 0.76, 0.80), (0.72, 0.62, 0.38), (0.68, 0.58, 0.30)),
    "forest": ((0.24, 0.36, 0.20), (0.30, 0.27, 0.16), (0.18, 0.34, 0.12)),
    "rock": ((0.56, 0.55, 0.54), (0.48, 0.43, 0.37), (0.42, 0.44, 0.24)),
    "snow": ((0.74, 0.79, 0.86), (0.91, 0.93, 0.96), (0.60, 0.55, 0.42)),
    "reeds": ((0.52, 0.60, 0.44), (0.55, 0.51, 0.30), (0.42, 0.50, 0.20)),
}

# Joints (u, v, radius) of a limb, in the animal's coordinates.
_Polyline = list[tuple[float, float, float]]


@dataclass(frozen=True)
class Scene:
    """Hold what the photos of one encounter share: the individual, the place and the light."""

    coat: Coat
    place: str
    light: str


@dataclass(frozen=True)
class _Pose:
    """Hold the animal's position (pixels per unit, center, angle) and its joints."""

    scale: float
    center: tuple[float, float]
    angle: float
    flipped: bool
    lying: bool
    stride: float
    head_height: float
    tail_lift: float

    def to_animal(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Convert pixels to the animal's coordinates (u, v)."""
        u, v = (x - self.center[0]) / self.scale, (y - self.center[1]) / self.scale
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        u, v = cosine * u + sine * v, -sine * u + cosine * v
        return (-u if self.flipped else u), v

    def to_pixels(self, u: float, v: float) -> tuple[float, float]:
        """Convert the animal's coordinates to pixels (x, y)."""
        u = -u if self.flipped else u
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        x = self.center[0] + self.scale * (cosine * u - sine * v)
        y = self.center[1] + self.scale * (sine * u + cosine * v)
        return float(x), float(y)

    def skeleton(self) -> dict[str, list[_Polyline]]:
        """Return the polylines of each part of the body."""
        head, lift = self.head_height, self.tail_lift
        legs: list[_Polyline] = []
        for hip, phase in ((-0.85, 1), (-0.68, -1), (0.62, 1), (0.8, -1)):
            x, y = (hip + 0.30, 0.42) if self.lying else (hip + phase * self.stride, 0.98)
            knee = ((hip + x) / 2 - 0.06, (0.15 + y) / 2, 0.13)
            legs.append([(hip, 0.12, 0.22), knee, (x, y, 0.085)])
            legs.append([(x, y, 0.085), (x + 0.10, y, 0.075)])
        tail_end = (-1.8, 0.2 + 1.3 * lift)
        return {
            "body": [
                [(-0.82, -0.02, 0.34), (-0.3, 0.03, 0.33), (0.3, 0.02, 0.35), (0.72, -0.06, 0.36)],
                [(0.72, -0.08, 0.32), (1.0, head, 0.24)],
            ],
            "legs": legs,
            "tail": [
                [
                    (-1.05, -0.1, 0.09),
                    (-1.35, -0.02 + 0.3 * lift, 0.065),
                    (-1.6, 0.25 + lift, 0.06),
                    (*tail_end, 0.075),
                ]
            ],
            "tuft": [[(*tail_end, 0.12)] * 2],
            "head": [
                *(
                    [(1.08 + ear, head - 0.2, 0.09), (1.08 + ear * 1.1, head - 0.25, 0.075)]
                    for ear in (-0.15, 0.13)
                ),
                [(1.08, head, 0.27), (1.08 + 0.04, head, 0.26)],
                [(1.08 + 0.17, head + 0.10, 0.155), (1.08 + 0.26, head + 0.11, 0.13)],
            ],
        }


def draw_scene(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Draw an RGB photo of a scene with random pose, framing and camera noise."""
    width, height = SIZES[rng.integers(len(SIZES))]
    pose = _draw_pose(width, height, rng)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    u, v = pose.to_animal(x, y)
    picture = _draw_background(scene.place, width, height, rng)
    size, skeleton = (width, height), pose.skeleton()

    def mask(*parts: str) -> Array:
        return _mask(pose, size, [c for part in parts for c in _circles(skeleton[part])])

    shadow = gaussian_filter(mask("body"), 9)
    picture *= 1 - 0.25 * np.roll(shadow, round(0.3 * pose.scale), axis=0)[..., None]
    is_lion = scene.coat.species == "Panthera leo"
    for color, shift, coverage in (
        (_coat_color, 0.0, mask("tail", "legs", "body")),
        (_mane_color, 0.0, _mask(pose, size, _mane_circles(scene.coat.mane, pose))),
        (_mane_color, 0.0, mask(*["tuft"] * is_lion)),
        (_coat_color, 0.37, mask("head")),
    ):
        inside = coverage > 0  # patterns are slow: only for the pixels of the animal
        alpha = coverage[inside][:, None]
        layer = color(scene.coat, u[inside] + shift, v[inside])
        picture[inside] = picture[inside] * (1 - alpha) + layer * alpha
    picture = _draw_face(picture, pose)
    picture = _draw_vegetation(picture, scene.place, pose, rng)
    picture = _apply_camera(picture, scene.light, rng)
    return Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8))


def _draw_pose(width: int, height: int, rng: np.random.Generator) -> _Pose:
    close = rng.random() < 0.2
    scale = min(width, height) * (rng.uniform(0.55, 0.8) if close else rng.uniform(0.15, 0.36))
    spread = 0.16 if close else 0.08
    return _Pose(
        scale=scale,
        center=(
            width * (0.5 + rng.normal(0, spread)),
            height * (0.5 + rng.normal(0, spread * 0.7)),
        ),
        angle=rng.normal(0, 0.10),
        flipped=bool(rng.random() < 0.5),
        lying=bool(rng.random() < 0.3),
        stride=rng.uniform(-0.22, 0.22),
        head_height=rng.uniform(-0.42, -0.08),
        tail_lift=rng.uniform(-0.5, 0.45),
    )


def _draw_background(place: str, width: int, height: int, rng: np.random.Generator) -> Array:
    upper, lower = (np.array(color) for color in _PLACE_COLORS[place][:2])
    horizon = height * rng.uniform(0.25, 0.6)
    rows = np.arange(height)[:, None, None]
    below = 1 / (1 + np.exp(-(rows - horizon) / (0.05 * height)))
    picture: Array = upper * (1 - below) + lower * below + np.zeros((height, width, 3))
    for coarseness, strength in ((2, 0.05), (8, 0.06), (30, 0.09)):
        picture += strength * _value_noise(width, height, coarseness, rng)[..., None]
    for _ in range(int(rng.integers(0, 5))):
        _draw_obstacle(picture, horizon, rng)
    return picture * rng.uniform(0.85, 1.1)


def _value_noise(width: int, height: int, coarseness: int, rng: np.random.Generator) -> Array:
    """Return smooth noise (height, width) of deviation 1: white noise, enlarged."""
    size = (max(4, height // coarseness), max(4, width // coarseness))
    small = Image.fromarray(rng.normal(size=size).astype(np.float32))
    large: Array = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), float)
    return large / float(large.std())


def _draw_obstacle(picture: Array, horizon: float, rng: np.random.Generator) -> None:
    """Darken a trunk or a stone, in place."""
    height, width, _ = picture.shape
    mask = Image.new("L", (width, height))
    x, w = rng.uniform(0, width), rng.uniform(0.03, 0.15) * width
    top = horizon - rng.uniform(0, 0.6) * height
    ImageDraw.Draw(mask).ellipse((x - w, top, x + w, horizon + rng.uniform(0, 60)), fill=255)
    soft = gaussian_filter(np.asarray(mask, float) / 255, 3)[..., None]
    picture *= 1 - soft * rng.uniform(0.1, 0.45)


def _circles(polylines: list[_Polyline]) -> list[tuple[float, float, float]]:
    """Interpolate polylines to circles (u, v, radius) close enough to overlap."""
    steps = np.linspace(0, 1, 14)[:, None]
    circles: list[tuple[float, float, float]] = []
    for polyline in polylines:
        for start, end in pairwise(np.array(polyline)):
            circles.extend((start + steps * (end - start)).tolist())
    return circles


def _mane_circles(mane: float, pose: _Pose) -> list[tuple[float, float, float]]:
    circles = []
    for angle in 2 * np.pi * np.arange(60 if mane else 0) / 60:
        reach = 0.40 + 0.16 * mane * (1 + 0.25 * np.sin(7 * angle))
        u, v = 0.5 * reach * np.cos(angle), 0.5 * reach * np.sin(angle)
        circles.append((0.98 + u, pose.head_height + 0.05 + v, 0.5 * reach))
    return circles


def _mask(pose: _Pose, size: tuple[int, int], circles: list[tuple[float, float, float]]) -> Array:
    """Return the share of each pixel (height, width) that circles (u, v, radius) cover."""
    width, height = size
    mask = Image.new("L", (width * _SUPERSAMPLING, height * _SUPERSAMPLING))
    draw = ImageDraw.Draw(mask)
    for u, v, radius in circles:
        x, y = (_SUPERSAMPLING * value for value in pose.to_pixels(u, v))
        r = _SUPERSAMPLING * radius * pose.scale
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return np.asarray(mask.resize(size, Image.Resampling.BOX), float) / 255


def _mane_color(coat: Coat, u: Array, v: Array) -> Array:
    strands = 0.5 + 0.5 * np.sin(60 * np.arctan2(v + 0.2, u - 1.0) + 4 * np.hypot(u - 1, v))
    color: Array = coat.mark + (coat.base * 0.75 - coat.mark) * (0.55 * strands)[..., None]
    return color


def _coat_color(coat: Coat, u: Array, v: Array) -> Array:
    """Return the colors (points, 3) at coordinates (points,), lit from above."""
    under = np.clip((v - 0.12) * 3.2, 0, 1)[..., None]
    ground = coat.base * (1 - under) + coat.belly * under
    marks = coat.pattern(u, v)[..., None] * (1 - 0.35 * under)
    color: Array = ground * (1 - marks) + coat.mark * marks
    return color * np.clip(1.08 - 0.30 * np.clip(v + 0.3, -0.4, 1), 0.5, 1.2)[..., None]


def _to_image(picture: Array) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))


def _draw_face(picture: Array, pose: _Pose) -> Array:
    image = _to_image(picture)
    draw = ImageDraw.Draw(image)
    for u, v, radius, color in (
        (1.14, -0.06, 0.042, (40, 30, 20)),
        (1.145, -0.06, 0.026, (200, 170, 60)),
        (1.145, -0.06, 0.013, (10, 10, 10)),
        (1.37, 0.07, 0.045, (60, 35, 35)),
    ):
        x, y = pose.to_pixels(u, v + pose.head_height)
        r = max(1.0, radius * pose.scale)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=color)
    corner, end = (pose.to_pixels(u, pose.head_height + v) for u, v in ((1.36, 0.17), (1.18, 0.2)))
    draw.line((*corner, *end), fill=(60, 40, 35), width=max(1, round(0.02 * pose.scale)))
    return np.asarray(image, float) / 255


def _draw_vegetation(picture: Array, place: str, pose: _Pose, rng: np.random.Generator) -> Array:
    height, width, _ = picture.shape
    image = _to_image(picture)
    draw = ImageDraw.Draw(image)
    color = [value * 255 for value in _PLACE_COLORS[place][2]]
    base = min(height + 5.0, pose.center[1] + pose.scale * (0.6 if pose.lying else 1.1))
    for _ in range(int(rng.integers(0, 220))):
        x, bottom = rng.uniform(0, width), base + rng.uniform(0, 0.2) * height
        tip = (x + rng.normal(0, 8), bottom - rng.uniform(0.08, 0.34) * height)
        brightness = rng.uniform(0.6, 1.3)
        shade = tuple(int(min(value * brightness, 255)) for value in color)
        draw.line((x, bottom, *tip), fill=shade, width=int(rng.integers(1, 4)))
    return np.asarray(image, float) / 255


def _apply_camera(picture: Array, light: str, rng: np.random.Generator) -> Array:
    """Apply the light, exposure, blur and sensor noise."""
    if light == "infra-red":
        picture = picture @ np.array([0.35, 0.45, 0.20])
        picture = np.repeat(picture[..., None], 3, axis=2)
        y, x = np.mgrid[-1 : 1 : picture.shape[0] * 1j, -1 : 1 : picture.shape[1] * 1j]
        picture *= np.clip(1.15 - 0.55 * np.hypot(x, y), 0.1, 1.2)[..., None]
    elif light == "dusk":
        picture = picture * np.array([0.98, 0.72, 0.50]) * rng.uniform(0.6, 0.95)
    elif light == "overcast":
        picture = (0.75 * picture + 0.12) * np.array([0.92, 0.97, 1.05])
    elif light == "glare":
        picture = picture * rng.uniform(1.25, 1.5) + 0.04
    is_gray = light == "infra-red"  # neither a tint nor the noise may color it
    tint = 1.0 if is_gray else rng.normal(1, 0.05, 3)
    picture = np.clip(picture * tint, 0, 1) ** rng.uniform(0.8, 1.25)
    blur = rng.exponential(0.9)
    picture = gaussian_filter(picture, (blur, blur, 0))
    channels = 1 if is_gray else 3
    return picture + rng.normal(0, rng.uniform(0.01, 0.09), (*picture.shape[:2], channels))
