"""A picture: an animal in a pose, in a place, in a light, as a camera might see it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from panthera_vision.synthetic.coats import Array, Coat

_SUPERSAMPLING = 2
SIZES = ((360, 270), (300, 400), (400, 300), (320, 320), (400, 266))
PLACES = ("savanna", "forest", "rock", "snow", "reeds")
LIGHTS = ("day", "day", "dusk", "overcast", "glare", "infra-red", "infra-red")

# Upper and lower background colours of each place.
_GROUND = {
    "savanna": ((0.70, 0.76, 0.80), (0.72, 0.62, 0.38)),
    "forest": ((0.24, 0.36, 0.20), (0.30, 0.27, 0.16)),
    "rock": ((0.56, 0.55, 0.54), (0.48, 0.43, 0.37)),
    "snow": ((0.74, 0.79, 0.86), (0.91, 0.93, 0.96)),
    "reeds": ((0.52, 0.60, 0.44), (0.55, 0.51, 0.30)),
}
_BLADES = {
    "savanna": (0.68, 0.58, 0.30),
    "forest": (0.18, 0.34, 0.12),
    "rock": (0.42, 0.44, 0.24),
    "snow": (0.60, 0.55, 0.42),
    "reeds": (0.42, 0.50, 0.20),
}


@dataclass(frozen=True)
class Scene:
    """What the photos of one encounter share: the individual, the place and the light."""

    coat: Coat
    place: str
    light: str


@dataclass(frozen=True)
class _Pose:
    """Where the animal is and how it stands: pixels of one unit, centre, turn, joints."""

    scale: float
    centre: tuple[float, float]
    angle: float
    flipped: bool
    lying: bool
    stride: float
    head_height: float
    tail_lift: float

    def to_animal(self, x: Array, y: Array) -> tuple[Array, Array]:
        """The animal's coordinates (u, v) of pixels."""
        u, v = (x - self.centre[0]) / self.scale, (y - self.centre[1]) / self.scale
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        u, v = cosine * u + sine * v, -sine * u + cosine * v
        return (-u if self.flipped else u), v

    def to_pixels(self, u: float, v: float) -> tuple[float, float]:
        u = -u if self.flipped else u
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        x = self.centre[0] + self.scale * (cosine * u - sine * v)
        y = self.centre[1] + self.scale * (sine * u + cosine * v)
        return float(x), float(y)


def draw_scene(scene: Scene, random: np.random.Generator) -> Image.Image:
    """One RGB photo of a scene; pose, framing and the camera's faults are random."""
    width, height = SIZES[random.integers(len(SIZES))]
    pose = _draw_pose(width, height, random)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    u, v = pose.to_animal(x, y)
    picture = _background(scene.place, width, height, random)
    shadow = gaussian_filter(_parts_mask(pose, width, height, ["body"]), 9)
    picture *= 1 - 0.25 * np.roll(shadow, round(0.3 * pose.scale), axis=0)[..., None]
    tuft = ["tuft"] if scene.coat.species == "Panthera leo" else []
    for colours, shift, mask in (
        (_coat_colours, 0.0, _parts_mask(pose, width, height, ["tail", "legs", "body"])),
        (_mane_colours, 0.0, _mane_mask(scene.coat, pose, width, height)),
        (_mane_colours, 0.0, _parts_mask(pose, width, height, tuft)),
        (_coat_colours, 0.37, _parts_mask(pose, width, height, ["head"])),
    ):
        # Most pixels are background: the patterns, which cost the most, are drawn on the animal.
        inside = mask > 0
        share = mask[inside][:, None]
        layer = colours(scene.coat, u[inside] + shift, v[inside])
        picture[inside] = picture[inside] * (1 - share) + layer * share
    picture = _face(picture, pose)
    picture = _vegetation(picture, scene.place, pose, random)
    picture = _camera(picture, scene.light, random)
    return Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8))


def _draw_pose(width: int, height: int, random: np.random.Generator) -> _Pose:
    shorter = min(width, height)
    close = random.random() < 0.2
    scale = shorter * (random.uniform(0.55, 0.8) if close else random.uniform(0.15, 0.36))
    spread = 0.16 if close else 0.08
    return _Pose(
        scale=scale,
        centre=(
            width * (0.5 + random.normal(0, spread)),
            height * (0.5 + random.normal(0, spread * 0.7)),
        ),
        angle=random.normal(0, 0.10),
        flipped=bool(random.random() < 0.5),
        lying=bool(random.random() < 0.3),
        stride=random.uniform(-0.22, 0.22),
        head_height=random.uniform(-0.42, -0.08),
        tail_lift=random.uniform(-0.5, 0.45),
    )


def _background(place: str, width: int, height: int, random: np.random.Generator) -> Array:
    upper, lower = (np.array(colour) for colour in _GROUND[place])
    horizon = height * random.uniform(0.25, 0.6)
    rows = np.arange(height)[:, None, None]
    share = 1 / (1 + np.exp(-(rows - horizon) / (0.05 * height)))
    picture: Array = upper * (1 - share) + lower * share + np.zeros((height, width, 3))
    for coarseness, strength in ((2, 0.05), (8, 0.06), (30, 0.09)):
        picture += strength * _cloud(width, height, coarseness, random)[..., None]
    for _ in range(int(random.integers(0, 5))):  # trunks, stones
        _blob(picture, random, horizon)
    return picture * random.uniform(0.85, 1.1)


def _cloud(width: int, height: int, coarseness: int, random: np.random.Generator) -> Array:
    """Smooth noise (height, width) of standard deviation 1, drawn small and enlarged."""
    size = (max(4, height // coarseness), max(4, width // coarseness))
    small = Image.fromarray(random.normal(size=size).astype(np.float32))
    large: Array = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), float)
    return large / float(large.std())


def _blob(picture: Array, random: np.random.Generator, horizon: float) -> None:
    height, width, _ = picture.shape
    mask = Image.new("L", (width, height))
    x, w = random.uniform(0, width), random.uniform(0.03, 0.15) * width
    top = horizon - random.uniform(0, 0.6) * height
    ImageDraw.Draw(mask).ellipse((x - w, top, x + w, horizon + random.uniform(0, 60)), fill=255)
    soft = gaussian_filter(np.asarray(mask, float) / 255, 3)[..., None]
    picture *= 1 - soft * random.uniform(0.1, 0.45)


def _canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    mask = Image.new("L", (width * _SUPERSAMPLING, height * _SUPERSAMPLING))
    return mask, ImageDraw.Draw(mask)


def _smooth(mask: Image.Image, width: int, height: int) -> Array:
    return np.asarray(mask.resize((width, height), Image.Resampling.BOX), float) / 255


def _parts_mask(pose: _Pose, width: int, height: int, parts: list[str]) -> Array:
    """How much of each pixel (height, width) the named parts cover, 0 to 1."""
    mask, draw = _canvas(width, height)

    def capsule(points: list[tuple[float, float]], radii: list[float]) -> None:
        for (u, v), radius in _along(points, radii):
            x, y = (_SUPERSAMPLING * value for value in pose.to_pixels(u, v))
            r = _SUPERSAMPLING * radius * pose.scale
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)

    for part in parts:
        if part == "body":
            capsule(
                [(-0.82, -0.02), (-0.3, 0.03), (0.3, 0.02), (0.72, -0.06)], [0.34, 0.33, 0.35, 0.36]
            )
            capsule([(0.72, -0.08), (1.0, pose.head_height)], [0.32, 0.24])
        elif part == "legs":
            for hip, phase in ((-0.85, 1), (-0.68, -1), (0.62, 1), (0.8, -1)):
                foot = (hip + 0.30, 0.42) if pose.lying else (hip + phase * pose.stride, 0.98)
                knee = ((hip + foot[0]) / 2 - 0.06, (0.15 + foot[1]) / 2)
                capsule([(hip, 0.12), knee, foot], [0.22, 0.13, 0.085])
                capsule([foot, (foot[0] + 0.10, foot[1])], [0.085, 0.075])
        elif part == "tuft":
            capsule([(-1.8, 0.2 + 1.3 * pose.tail_lift)] * 2, [0.12, 0.12])
        elif part == "tail":
            lift = pose.tail_lift
            capsule(
                [
                    (-1.05, -0.1),
                    (-1.35, -0.02 + 0.3 * lift),
                    (-1.6, 0.25 + lift),
                    (-1.8, 0.2 + 1.3 * lift),
                ],
                [0.09, 0.065, 0.06, 0.075],
            )
        elif part == "head":
            u, v = 1.08, pose.head_height
            for side in (-0.15, 0.13):
                capsule([(u + side, v - 0.2), (u + side * 1.1, v - 0.25)], [0.09, 0.075])
            capsule([(u, v), (u + 0.04, v)], [0.27, 0.26])
            capsule([(u + 0.17, v + 0.10), (u + 0.26, v + 0.11)], [0.155, 0.13])
    return _smooth(mask, width, height)


def _along(
    points: list[tuple[float, float]], radii: list[float]
) -> list[tuple[tuple[float, float], float]]:
    """Circles close enough to make one body of a line with varying thickness."""
    circles = []
    for start, end, first, last in zip(points, points[1:], radii, radii[1:], strict=False):
        for share in np.linspace(0, 1, 14):
            place = (
                start[0] + share * (end[0] - start[0]),
                start[1] + share * (end[1] - start[1]),
            )
            circles.append((place, first + share * (last - first)))
    return circles


def _mane_mask(coat: Coat, pose: _Pose, width: int, height: int) -> Array:
    if not coat.mane:
        return np.zeros((height, width))
    mask, draw = _canvas(width, height)
    for step in range(60):
        angle = 2 * np.pi * step / 60
        reach = 0.40 + 0.16 * coat.mane * (1 + 0.25 * np.sin(7 * angle))
        x, y = pose.to_pixels(
            0.98 + 0.5 * reach * np.cos(angle),
            pose.head_height + 0.05 + 0.5 * reach * np.sin(angle),
        )
        x, y, r = (_SUPERSAMPLING * value for value in (x, y, 0.5 * reach * pose.scale))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return _smooth(mask, width, height)


def _mane_colours(coat: Coat, u: Array, v: Array) -> Array:
    strands = 0.5 + 0.5 * np.sin(60 * np.arctan2(v + 0.2, u - 1.0) + 4 * np.hypot(u - 1, v))
    dark, light = np.array(coat.mark), np.array(coat.base) * 0.75
    colours: Array = dark + (light - dark) * (0.55 * strands)[..., None]
    return colours


def _coat_colours(coat: Coat, u: Array, v: Array) -> Array:
    """The coat's colours (points, 3) at coordinates (points,), lit from above."""
    under = np.clip((v - 0.12) * 3.2, 0, 1)[..., None]
    ground = np.array(coat.base) * (1 - under) + np.array(coat.belly) * under
    marks = coat.pattern(u, v)[..., None] * (1 - 0.35 * under)
    colours = ground * (1 - marks) + np.array(coat.mark) * marks
    return colours * np.clip(1.08 - 0.30 * np.clip(v + 0.3, -0.4, 1), 0.5, 1.2)[..., None]


def _face(picture: Array, pose: _Pose) -> Array:
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for u, v, radius, colour in (
        (1.14, -0.06, 0.042, (40, 30, 20)),
        (1.145, -0.06, 0.026, (200, 170, 60)),
        (1.145, -0.06, 0.013, (10, 10, 10)),
        (1.37, 0.07, 0.045, (60, 35, 35)),
    ):
        x, y = pose.to_pixels(u, v + pose.head_height)
        r = max(1.0, radius * pose.scale)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    corner, end = (pose.to_pixels(u, pose.head_height + v) for u, v in ((1.36, 0.17), (1.18, 0.2)))
    draw.line((*corner, *end), fill=(60, 40, 35), width=max(1, round(0.02 * pose.scale)))
    return np.asarray(image, float) / 255


def _vegetation(picture: Array, place: str, pose: _Pose, random: np.random.Generator) -> Array:
    height, width, _ = picture.shape
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    colour = [value * 255 for value in _BLADES[place]]
    base = min(height + 5.0, pose.centre[1] + pose.scale * (0.6 if pose.lying else 1.1))
    for _ in range(int(random.integers(0, 220))):
        x, bottom = random.uniform(0, width), base + random.uniform(0, 0.2) * height
        tip = (x + random.normal(0, 8), bottom - random.uniform(0.08, 0.34) * height)
        brightness = random.uniform(0.6, 1.3)
        shade = tuple(int(min(value * brightness, 255)) for value in colour)
        draw.line((x, bottom, *tip), fill=shade, width=int(random.integers(1, 4)))
    return np.asarray(image, float) / 255


def _camera(picture: Array, light: str, random: np.random.Generator) -> Array:
    if light == "infra-red":
        picture = picture @ np.array([0.35, 0.45, 0.20])
        picture = np.repeat(picture[..., None], 3, axis=2)
        y, x = np.mgrid[-1 : 1 : picture.shape[0] * 1j, -1 : 1 : picture.shape[1] * 1j]
        picture *= np.clip(1.15 - 0.55 * np.hypot(x, y), 0.1, 1.2)[..., None]
    elif light == "dusk":
        picture = picture * np.array([0.98, 0.72, 0.50]) * random.uniform(0.6, 0.95)
    elif light == "overcast":
        picture = (0.75 * picture + 0.12) * np.array([0.92, 0.97, 1.05])
    elif light == "glare":
        picture = picture * random.uniform(1.25, 1.5) + 0.04
    grey = light == "infra-red"
    # An infra-red picture has one channel: neither a tint nor the noise may colour it.
    tint = 1.0 if grey else random.normal(1, 0.05, 3)
    picture = np.clip(picture * tint, 0, 1) ** random.uniform(0.8, 1.25)
    blur = random.exponential(0.9)
    picture = gaussian_filter(picture, (blur, blur, 0))
    channels = 1 if grey else 3
    return picture + random.normal(0, random.uniform(0.01, 0.09), (*picture.shape[:2], channels))
