"""Show the widgets of the filters."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from panthera_vision.search.filters import PhotoFilter, days_of
from panthera_vision.ui.i18n import Translator

# Widget → its empty value. The values outlast a look at the map.
_EMPTY: dict[str, Any] = {
    "species": [],
    "licenses": [],
    "observers": [],
    "first_day": None,
    "last_day": None,
    "place": "",
}


def _key(name: str) -> str:
    return f"filter {name}"


def _clear_filters() -> None:
    for name, empty in _EMPTY.items():
        st.session_state[_key(name)] = empty


def ask_for_filter(table: pd.DataFrame, t: Translator) -> PhotoFilter:
    """Show the filters for the index's photos, and return what they select."""
    in_use = any(st.session_state.get(_key(name)) for name in _EMPTY)

    def select(name: str, column: str, shown: Callable[[str], str] = str) -> tuple[str, ...]:
        values = sorted(table[column].unique()) if column in table else []
        chosen: list[str] = st.multiselect(
            t(f"{column}_filter"),
            values,
            format_func=shown,
            placeholder=t(f"all_{name}"),
            key=_key(name),
            persist_state="session",
        )
        return tuple(chosen)

    with st.expander(t("filters"), expanded=in_use, key="filters"):
        left, right = st.columns(2)
        with left:
            species = select("species", "species", t.species)
            observers = select("observers", "observer")
            place = st.text_input(
                t("place_filter"),
                placeholder=t("place_example"),
                max_chars=100,
                key=_key("place"),
                persist_state="session",
            )
        with right:
            licenses = select("licenses", "license", lambda code: code or t("no_license"))
            days = [day for day in days_of(table) if day is not None]
            first, last = (
                st.date_input(
                    t(name),
                    value=None,
                    min_value=min(days, default=None),
                    max_value=max(days, default=None),
                    format="YYYY-MM-DD",
                    key=_key(name),
                    persist_state="session",
                )
                for name in ("first_day", "last_day")
            )
        st.button(t("clear_filters"), on_click=_clear_filters)
    return PhotoFilter(species, licenses, observers, first, last, place)
