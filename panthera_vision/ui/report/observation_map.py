"""A map of observations that needs no internet: the land, degrees, the tropics, continents."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.reporting.palette import marker_styles
from panthera_vision.ui.i18n import DATA, text
from panthera_vision.ui.report.accessible_chart import DescribedChart
from panthera_vision.ui.report.land_mask import land

_CIRCLES = {"tropic_of_cancer": 23.44, "equator": 0.0, "tropic_of_capricorn": -23.44}
# Within each, where few cats live whose points would hide the name: longitude and latitude.
_CONTINENTS = {
    "north_america": (-102, 58),
    "south_america": (-68, -42),
    "europe": (15, 57),
    "africa": (7, 26),
    "asia": (95, 63),
    "australia": (134, -28),
}
# Degrees that are shown around the outermost points, at the least, and those between lines.
_MARGIN = 20
_STEP = 20
_GREY = "#888888"
Say = Callable[[str], str]
_DEGREES = (
    "abs(datum.value) + '°' + (datum.value == 0 ? '' : datum.value > 0 ? ' {plus}' : ' {minus}')"
)


def observation_map(table: pd.DataFrame, language: Language) -> DescribedChart:
    """Where photos were taken, by species: colours that all eyes tell apart, and shapes.

    Args:
        table: of `located`.
        language: of the labels.
    """
    say = partial(text, DATA, language)
    bounds = _bounds(table)
    species = sorted(table["species"].unique())
    names = [common_name(name, language) for name in species]
    shown = table.assign(name=[common_name(name, language) for name in table["species"]])
    marks = marker_styles(species).values()
    colours, shapes = [mark.color for mark in marks], [mark.shape for mark in marks]
    legend = alt.Legend(orient="bottom", columns=2, title=None, symbolOpacity=1, symbolSize=90)
    points = (
        alt.Chart(shown)
        .mark_point(filled=True, size=45, opacity=0.7)
        .encode(
            x=_longitude(bounds, say),
            y=_latitude(bounds, say),
            color=alt.Color("name:N", scale=alt.Scale(domain=names, range=colours), legend=legend),
            shape=alt.Shape("name:N", scale=alt.Scale(domain=names, range=shapes), legend=legend),
            tooltip=[
                alt.Tooltip("name:N", title=say("species")),
                alt.Tooltip("place:N", title=say("place")),
                alt.Tooltip("observed_on:N", title=say("date")),
            ],
        )
    )
    chart = alt.layer(*_background(bounds, say), points).properties(height=430)
    return DescribedChart(chart, say("map_alt", counts=_words(shown, names, language)))


@dataclass(frozen=True)
class _Bounds:
    """What the map shows, in degrees, multiples of `_STEP`."""

    west: int
    east: int
    south: int
    north: int

    def hold(self, longitude: float, latitude: float) -> bool:
        return self.west < longitude < self.east and self.south < latitude < self.north


def _bounds(table: pd.DataFrame) -> _Bounds:
    def below(degrees: float) -> int:
        return _STEP * math.floor((degrees - _MARGIN) / _STEP)

    def above(degrees: float) -> int:
        return _STEP * math.ceil((degrees + _MARGIN) / _STEP)

    longitude, latitude = table["longitude"], table["latitude"]
    return _Bounds(
        west=max(below(longitude.min()), -180),
        east=min(above(longitude.max()), 180),
        south=max(below(latitude.min()), -90),
        north=min(above(latitude.max()), 90),
    )


def _background(bounds: _Bounds, say: Say) -> list[Any]:
    circles = pd.DataFrame(
        [
            (bounds.west, latitude, say(name))
            for name, latitude in _CIRCLES.items()
            if bounds.south < latitude < bounds.north
        ],
        columns=["longitude", "latitude", "label"],
    )
    continents = pd.DataFrame(
        [(*place, say(name)) for name, place in _CONTINENTS.items() if bounds.hold(*place)],
        columns=["longitude", "latitude", "label"],
    )
    longitude, latitude = _longitude(bounds, say), _latitude(bounds, say)
    layers: list[Any] = [
        alt.Chart(_land_within(bounds))
        .mark_rect(color=_GREY, opacity=0.3)
        .encode(
            x=_longitude(bounds, say, "west"),
            x2="east:Q",
            y=_latitude(bounds, say, "south"),
            y2="north:Q",
        )
    ]
    if len(circles):
        at = alt.Chart(circles).encode(y=latitude)
        layers += [
            at.mark_rule(color=_GREY, strokeDash=[4, 4]),
            at.mark_text(color=_GREY, align="left", dx=3, dy=-7, fontSize=11).encode(
                x=longitude, text="label:N"
            ),
        ]
    if len(continents):
        names = alt.Chart(continents).mark_text(color=_GREY, fontSize=13, fontStyle="italic")
        layers.append(names.encode(x=longitude, y=latitude, text="label:N"))
    return layers


def _land_within(bounds: _Bounds) -> pd.DataFrame:
    """The rectangles of land that are seen, cut at the edges."""
    ground = land()
    cut = pd.DataFrame(
        {
            "west": ground["west"].clip(lower=bounds.west),
            "east": ground["east"].clip(upper=bounds.east),
            "south": ground["south"].clip(lower=bounds.south),
            "north": ground["north"].clip(upper=bounds.north),
        }
    )
    return cut[(cut["west"] < cut["east"]) & (cut["south"] < cut["north"])]


def _longitude(bounds: _Bounds, say: Say, field: str = "longitude") -> alt.X:
    labels = _DEGREES.format(plus=say("east"), minus=say("west"))
    step = _STEP if bounds.east - bounds.west <= 160 else 2 * _STEP
    return alt.X(
        f"{field}:Q",
        title=None,
        scale=alt.Scale(domain=[bounds.west, bounds.east], nice=False),
        axis=alt.Axis(values=list(range(bounds.west, bounds.east + 1, step)), labelExpr=labels),
    )


def _latitude(bounds: _Bounds, say: Say, field: str = "latitude") -> alt.Y:
    labels = _DEGREES.format(plus=say("north"), minus=say("south"))
    return alt.Y(
        f"{field}:Q",
        title=None,
        scale=alt.Scale(domain=[bounds.south, bounds.north], nice=False),
        axis=alt.Axis(values=list(range(bounds.south, bounds.north + 1, _STEP)), labelExpr=labels),
    )


def _words(shown: pd.DataFrame, names: list[str], language: Language) -> str:
    say = partial(text, DATA, language)
    parts = []
    for name in names:
        rows = shown[shown["name"] == name]
        parts.append(
            say(
                "map_count",
                species=name,
                count=len(rows),
                south=round(rows["latitude"].min()),
                north=round(rows["latitude"].max()),
                west=round(rows["longitude"].min()),
                east=round(rows["longitude"].max()),
            )
        )
    return " ".join(parts)
