"""Draw the charts of the data: photos by species and split, photos by year."""

import altair as alt
import pandas as pd

from panthera_vision.data.splits import SPLITS
from panthera_vision.reporting.palette import COLORS
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.report.chart import AccessibleChart, tooltips

_BAR_HEIGHT = 34


def species_chart(table: pd.DataFrame, t: Translator) -> AccessibleChart:
    """Draw a bar per species, stacked by split, from the table of `count_by_species_and_split`."""
    shown = table.assign(
        name=[t.species(species) for species in table["species"]],
        split_name=[t(split) for split in table["split"]],
        order=[SPLITS.index(split) for split in table["split"]],
    )
    splits = [t(split) for split in SPLITS]
    tooltip = {"name:N": "species", "split_name:N": "split", "photos:Q": "photos"}
    bars = (
        alt.Chart(shown)
        .mark_bar(height=_BAR_HEIGHT - 14)
        .encode(
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=130, ticks=False)),
            x=alt.X("photos:Q", title=t("photos"), axis=alt.Axis(tickCount=5, tickMinStep=1)),
            color=alt.Color(
                "split_name:N",
                title=None,
                sort=splits,
                scale=alt.Scale(domain=splits, range=list(COLORS[1:2] + COLORS[4:6])),
                legend=alt.Legend(orient="top"),
            ),
            order="order:Q",
            tooltip=tooltips(t, tooltip),
        )
    )
    totals = shown.groupby("name", sort=False)["photos"].sum()
    counts = "; ".join(f"{name}: {count}" for name, count in totals.items())
    height = _BAR_HEIGHT * len(totals) + 120
    return AccessibleChart(bars.properties(height=height), f"{t('by_species')}. {counts}")


def year_chart(table: pd.DataFrame, t: Translator) -> AccessibleChart:
    """Draw a bar per year from the table of `count_by_year`."""
    # Bars on a numeric axis: years without photos are gaps.
    shown = table.assign(start=table["year"] - 0.4, end=table["year"] + 0.4, base=0)
    bars = (
        alt.Chart(shown)
        .mark_bar(color=COLORS[1])
        .encode(
            x=alt.X(
                "start:Q",
                title=t("year"),
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(format="d", tickMinStep=1, tickCount=6),
            ),
            x2="end:Q",
            y=alt.Y("photos:Q", title=t("photos"), axis=alt.Axis(tickMinStep=1, tickCount=5)),
            y2="base:Q",
            tooltip=[
                alt.Tooltip("year:Q", title=t("year"), format="d"),
                alt.Tooltip("photos:Q", title=t("photos")),
            ],
        )
    )
    counts = "; ".join(
        f"{year}: {count}" for year, count in zip(table["year"], table["photos"], strict=True)
    )
    return AccessibleChart(bars.properties(height=280), f"{t('by_year')}. {counts}")
