"""Draw a map of observations that needs no internet: land, degrees, tropics, continents.

`land.png` has half a degree a pixel, white where at least half of it is land. It was made from
GLOBE, the Global Land One-kilometer Base Elevation (NOAA, 1999), which is in the public domain.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image

from panthera_vision.reporting.palette import GREY, marker_styles
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.report.chart import AccessibleChart, tooltips

_LAND = Path(__file__).with_name("land.png")
_LAND_DEGREES = 0.5  # a pixel
_CIRCLES = {"tropic_of_cancer": 23.44, "equator": 0.0, "tropic_of_capricorn": -23.44}
# Label positions (longitude, latitude) where few cats live whose points would hide the label.
_CONTINENTS = {
    "north_america": (-102, 58),
    "south_america": (-68, -42),
    "europe": (15, 57),
    "africa": (7, 26),
    "asia": (95, 63),
    "australia": (134, -28),
}
# Degrees shown around the outermost points, at the least, and between the lines of the grid.
_MARGIN = 20
_STEP = 20
_DEGREES = (
    "abs(datum.value) + '°' + (datum.value == 0 ? '' : datum.value > 0 ? ' {plus}' : ' {minus}')"
)


def observation_map(table: pd.DataFrame, t: Translator) -> AccessibleChart:
    """Draw where photos were taken, by species, from the table of `select_located`."""
    bounds = _bounds(table)
    species = sorted(table["species"].unique())
    names = [t.species(name) for name in species]
    shown = table.assign(name=[t.species(name) for name in table["species"]])
    marks = marker_styles(species).values()
    colors, shapes = [mark.color for mark in marks], [mark.shape for mark in marks]
    legend = alt.Legend(orient="bottom", columns=2, title=None, symbolOpacity=1, symbolSize=90)
    tooltip = {"name:N": "species", "place:N": "place", "observed_on:N": "date"}
    points = (
        alt.Chart(shown)
        .mark_point(filled=True, size=45, opacity=0.7)
        .encode(
            x=bounds.x(t),
            y=bounds.y(t),
            color=alt.Color("name:N", scale=alt.Scale(domain=names, range=colors), legend=legend),
            shape=alt.Shape("name:N", scale=alt.Scale(domain=names, range=shapes), legend=legend),
            tooltip=tooltips(t, tooltip),
        )
    )
    chart = alt.layer(*_background(bounds, t), points).properties(height=430)
    counts = " ".join(_count(shown[shown["name"] == name], t) for name in names)
    return AccessibleChart(chart, t("map_alt", counts=counts))


@dataclass(frozen=True)
class _Bounds:
    """Hold what the map shows, in degrees, multiples of `_STEP`."""

    west: int
    east: int
    south: int
    north: int

    def contains(self, longitude: float, latitude: float) -> bool:
        return self.west < longitude < self.east and self.south < latitude < self.north

    def x(self, t: Translator, field: str = "longitude") -> alt.X:
        labels = _DEGREES.format(plus=t("east"), minus=t("west"))
        step = _STEP if self.east - self.west <= 160 else 2 * _STEP
        return alt.X(
            f"{field}:Q",
            title=None,
            scale=alt.Scale(domain=[self.west, self.east], nice=False),
            axis=alt.Axis(values=list(range(self.west, self.east + 1, step)), labelExpr=labels),
        )

    def y(self, t: Translator, field: str = "latitude") -> alt.Y:
        labels = _DEGREES.format(plus=t("north"), minus=t("south"))
        return alt.Y(
            f"{field}:Q",
            title=None,
            scale=alt.Scale(domain=[self.south, self.north], nice=False),
            axis=alt.Axis(values=list(range(self.south, self.north + 1, _STEP)), labelExpr=labels),
        )

    def land(self) -> pd.DataFrame:
        """Return the rectangles of land within the bounds, clipped at the edges."""
        land = load_land()
        cut = pd.DataFrame(
            {
                "west": land["west"].clip(lower=self.west),
                "east": land["east"].clip(upper=self.east),
                "south": land["south"].clip(lower=self.south),
                "north": land["north"].clip(upper=self.north),
            }
        )
        return cut[(cut["west"] < cut["east"]) & (cut["south"] < cut["north"])]


def _bounds(table: pd.DataFrame) -> _Bounds:
    def floor(degrees: float) -> int:
        return _STEP * math.floor((degrees - _MARGIN) / _STEP)

    def ceil(degrees: float) -> int:
        return _STEP * math.ceil((degrees + _MARGIN) / _STEP)

    longitude, latitude = table["longitude"], table["latitude"]
    return _Bounds(
        west=max(floor(longitude.min()), -180),
        east=min(ceil(longitude.max()), 180),
        south=max(floor(latitude.min()), -90),
        north=min(ceil(latitude.max()), 90),
    )


def _background(bounds: _Bounds, t: Translator) -> list[Any]:
    columns = ["longitude", "latitude", "label"]
    circles = pd.DataFrame(
        [
            (bounds.west, latitude, t(name))
            for name, latitude in _CIRCLES.items()
            if bounds.south < latitude < bounds.north
        ],
        columns=columns,
    )
    continents = pd.DataFrame(
        [(*place, t(name)) for name, place in _CONTINENTS.items() if bounds.contains(*place)],
        columns=columns,
    )
    land = alt.Chart(bounds.land()).mark_rect(color=GREY, opacity=0.3)
    layers: list[Any] = [
        land.encode(x=bounds.x(t, "west"), x2="east:Q", y=bounds.y(t, "south"), y2="north:Q")
    ]
    if len(circles):
        lines = alt.Chart(circles).encode(y=bounds.y(t))
        labels = lines.mark_text(color=GREY, align="left", dx=3, dy=-7, fontSize=11)
        layers.append(lines.mark_rule(color=GREY, strokeDash=[4, 4]))
        layers.append(labels.encode(x=bounds.x(t), text="label:N"))
    if len(continents):
        names = alt.Chart(continents).mark_text(color=GREY, fontSize=13, fontStyle="italic")
        layers.append(names.encode(x=bounds.x(t), y=bounds.y(t), text="label:N"))
    return layers


def _count(rows: pd.DataFrame, t: Translator) -> str:
    """Describe a species' photos and their extent."""
    latitude, longitude = rows["latitude"], rows["longitude"]
    return t(
        "map_count",
        species=rows["name"].iloc[0],
        count=len(rows),
        south=round(latitude.min()),
        north=round(latitude.max()),
        west=round(longitude.min()),
        east=round(longitude.max()),
    )


@cache
def load_land() -> pd.DataFrame:
    """Return rectangles of land, in degrees: `west`, `east`, `south`, `north`."""
    with Image.open(_LAND) as picture:
        mask = np.asarray(picture.convert("1"))
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    north = 90 - rows * _LAND_DEGREES
    west, east = (columns * _LAND_DEGREES - 180 for columns in (starts, ends))
    return pd.DataFrame(
        {"west": west, "east": east, "south": north - _LAND_DEGREES, "north": north}
    )
