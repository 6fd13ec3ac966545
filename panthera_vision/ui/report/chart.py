"""Draw charts with an alternative text for screen readers; their colors follow the theme."""

from collections.abc import Mapping
from dataclasses import dataclass

import altair as alt
import streamlit as st

from panthera_vision.ui.i18n import Translator


@dataclass(frozen=True)
class AccessibleChart:
    """Hold an Altair chart and the text that says what it shows."""

    chart: alt.Chart | alt.LayerChart | alt.FacetChart
    alt: str

    def show(self) -> None:
        """Show the chart as wide as its place on the page."""
        st.altair_chart(self.chart, width="stretch", alt=self.alt)


def tooltips(t: Translator, fields: Mapping[str, str]) -> list[alt.Tooltip]:
    """Return the tooltips of a chart: field → key of its title."""
    return [alt.Tooltip(field, title=t(title)) for field, title in fields.items()]
