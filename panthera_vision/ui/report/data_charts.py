"""Charts of the data: species by split, and years. They follow the theme."""

from functools import partial

import altair as alt
import pandas as pd

from panthera_vision.data.splits import SPLITS
from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.reporting.palette import COLORS
from panthera_vision.ui.i18n import DATA, text
from panthera_vision.ui.report.accessible_chart import DescribedChart

_BAR_HEIGHT = 34


def species_chart(table: pd.DataFrame, language: Language) -> DescribedChart:
    """Bars of the species, each divided into its splits.

    Args:
        table: of `by_species_and_split`.
        language: of the labels.
    """
    say = partial(text, DATA, language)
    shown = table.assign(
        name=[common_name(species, language) for species in table["species"]],
        split_name=[say(split) for split in table["split"]],
        order=[SPLITS.index(split) for split in table["split"]],
    )
    splits = [say(split) for split in SPLITS]
    bars = (
        alt.Chart(shown)
        .mark_bar(height=_BAR_HEIGHT - 14)
        .encode(
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=130, ticks=False)),
            x=alt.X("photos:Q", title=say("photos"), axis=alt.Axis(tickCount=5, tickMinStep=1)),
            color=alt.Color(
                "split_name:N",
                title=None,
                sort=splits,
                scale=alt.Scale(domain=splits, range=list(COLORS[1:2] + COLORS[4:6])),
                legend=alt.Legend(orient="top"),
            ),
            order="order:Q",
            tooltip=[
                alt.Tooltip("name:N", title=say("species")),
                alt.Tooltip("split_name:N", title=say("split")),
                alt.Tooltip("photos:Q", title=say("photos")),
            ],
        )
    )
    totals = shown.groupby("name", sort=False)["photos"].sum()
    words = "; ".join(f"{name}: {count}" for name, count in totals.items())
    height = _BAR_HEIGHT * len(totals) + 120
    return DescribedChart(bars.properties(height=height), f"{say('by_species')}. {words}")


def year_chart(table: pd.DataFrame, language: Language) -> DescribedChart:
    """Bars of the years.

    Args:
        table: of `by_year`.
        language: of the labels.
    """
    say = partial(text, DATA, language)
    # Bars on an axis of numbers: years without photos are gaps.
    shown = table.assign(start=table["year"] - 0.4, end=table["year"] + 0.4, base=0)
    bars = (
        alt.Chart(shown)
        .mark_bar(color=COLORS[1])
        .encode(
            x=alt.X(
                "start:Q",
                title=say("year"),
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(format="d", tickMinStep=1, tickCount=6),
            ),
            x2="end:Q",
            y=alt.Y("photos:Q", title=say("photos"), axis=alt.Axis(tickMinStep=1, tickCount=5)),
            y2="base:Q",
            tooltip=[
                alt.Tooltip("year:Q", title=say("year"), format="d"),
                alt.Tooltip("photos:Q", title=say("photos")),
            ],
        )
    )
    words = "; ".join(
        say("year_point", year=year, count=count)
        for year, count in zip(table["year"], table["photos"], strict=True)
    )
    return DescribedChart(bars.properties(height=280), f"{say('by_year')}. {words}")
