"""A map of observations that needs no tiles: degrees, the tropics, and the continents' names."""

from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from panthera_vision.apps.described import DescribedChart
from panthera_vision.apps.texts import DATA, text
from panthera_vision.palette import COLOURS, SHAPES
from panthera_vision.taxa import Language, common_name

# Degrees north, without what lies nearer to the poles than any cat.
_SOUTH, _NORTH = -60, 80
_CIRCLES = {"tropic_of_cancer": 23.44, "equator": 0.0, "tropic_of_capricorn": -23.44}
# Roughly their middles, longitude and latitude.
_CONTINENTS = {
    "north_america": (-102, 48),
    "south_america": (-59, -13),
    "europe": (17, 51),
    "africa": (20, 9),
    "asia": (95, 48),
    "australia": (134, -28),
}
_GREY = "#888888"
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
    species = sorted(table["species"].unique())
    names = [common_name(name, language) for name in species]
    shown = table.assign(name=[common_name(name, language) for name in table["species"]])
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(names))]
    # From the seventh species on colours come again, with other shapes.
    shapes = [
        SHAPES[(number + number // len(COLOURS)) % len(SHAPES)] for number in range(len(names))
    ]
    legend = alt.Legend(orient="bottom", columns=2, title=None, symbolOpacity=1, symbolSize=90)
    points = (
        alt.Chart(shown)
        .mark_point(filled=True, size=45, opacity=0.7)
        .encode(
            x=_longitude(say),
            y=_latitude(say),
            color=alt.Color("name:N", scale=alt.Scale(domain=names, range=colours), legend=legend),
            shape=alt.Shape("name:N", scale=alt.Scale(domain=names, range=shapes), legend=legend),
            tooltip=[
                alt.Tooltip("name:N", title=say("species")),
                alt.Tooltip("place:N", title=say("place")),
                alt.Tooltip("observed_on:N", title=say("date")),
            ],
        )
    )
    chart = alt.layer(*_background(say), points).properties(height=430)
    return DescribedChart(chart, say("map_alt", counts=_words(shown, names, language)))


def _background(say: Any) -> list[Any]:
    circles = pd.DataFrame(
        {
            "latitude": list(_CIRCLES.values()),
            "longitude": -178.0,
            "label": [say(name) for name in _CIRCLES],
        }
    )
    continents = pd.DataFrame(
        [(longitude, latitude, say(name)) for name, (longitude, latitude) in _CONTINENTS.items()],
        columns=["longitude", "latitude", "label"],
    )
    at = alt.Chart(circles).encode(y=_latitude(say))
    return [
        at.mark_rule(color=_GREY, strokeDash=[4, 4]),
        at.mark_text(color=_GREY, align="left", dy=-7, fontSize=11).encode(
            x=_longitude(say), text="label:N"
        ),
        alt.Chart(continents)
        .mark_text(color=_GREY, fontSize=13, fontStyle="italic")
        .encode(x=_longitude(say), y=_latitude(say), text="label:N"),
    ]


def _longitude(say: Any) -> alt.X:
    labels = _DEGREES.format(plus=say("east"), minus=say("west"))
    return alt.X(
        "longitude:Q",
        title=None,
        scale=alt.Scale(domain=[-180, 180], nice=False),
        axis=alt.Axis(values=list(range(-180, 181, 60)), labelExpr=labels),
    )


def _latitude(say: Any) -> alt.Y:
    labels = _DEGREES.format(plus=say("north"), minus=say("south"))
    return alt.Y(
        "latitude:Q",
        title=None,
        scale=alt.Scale(domain=[_SOUTH, _NORTH], nice=False),
        axis=alt.Axis(values=list(range(_SOUTH, _NORTH + 1, 20)), labelExpr=labels),
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
