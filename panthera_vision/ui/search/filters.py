"""Show the widgets of the filters."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from panthera_vision.search.filters import FilterColumns, PhotoFilter
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.sampling import MOST_CHOICES

# Widget → its empty value. The values outlast a look at the map.
_EMPTY: dict[str, Any] = {
    "species": [],
    "licenses": [],
    "observers": [],
    "species typed": "",
    "licenses typed": "",
    "observers typed": "",
    "first_day": None,
    "last_day": None,
    "place": "",
}

_MOST_FOUND = 50


def _key(name: str) -> str:
    return f"filter {name}"


def _clear_filters() -> None:
    for name, empty in _EMPTY.items():
        st.session_state[_key(name)] = empty


def fill_in_filter(where: PhotoFilter) -> None:
    """Fill in the widgets, before they are shown."""
    for name in _EMPTY:
        if value := getattr(where, name, None):
            st.session_state[_key(name)] = list(value) if isinstance(value, tuple) else value


def ask_for_filter(columns: FilterColumns, t: Translator) -> PhotoFilter:
    """Show the filters for the index's photos, and return what they select."""
    in_use = any(st.session_state.get(_key(name)) for name in _EMPTY)

    def select(name: str, column: str, shown: Callable[[str], str] = str) -> tuple[str, ...]:
        values = columns.values(column)
        if len(values) > MOST_CHOICES:
            values = _search_as_you_type(name, column)
        chosen: list[str] = st.multiselect(
            t(f"{column}_filter"),
            values,
            format_func=shown,
            placeholder=t(f"all_{name}"),
            key=_key(name),
            persist_state="session",
        )
        return tuple(chosen)

    def _search_as_you_type(name: str, column: str) -> list[str]:
        """Return the values that contain what the visitor types, and those chosen before."""
        typed = st.text_input(
            t("value_search", count=len(columns.values(column))),
            max_chars=100,
            key=_key(f"{name} typed"),
            persist_state="session",
        )
        found = columns.find_values(column, typed, _MOST_FOUND)
        return sorted({*st.session_state.get(_key(name), []), *found})

    with st.expander(t("filters"), expanded=in_use, key="filters"):
        species = select("species", "species", t.species)
        place = st.text_input(
            t("place_filter"),
            placeholder=t("place_example"),
            max_chars=100,
            key=_key("place"),
            persist_state="session",
        )
        days = columns.days or (None, None)
        first, last = (
            st.date_input(
                t(name),
                value=None,
                min_value=days[0],
                max_value=days[1],
                format="YYYY-MM-DD",
                key=_key(name),
                persist_state="session",
            )
            for name in ("first_day", "last_day")
        )
        observers = select("observers", "observer")
        licenses = select("licenses", "license", lambda code: code or t("no_license"))
        st.button(t("clear_filters"), on_click=_clear_filters)
    return PhotoFilter(species, licenses, observers, first, last, place)
