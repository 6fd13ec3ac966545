"""The filters' widgets."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.search.filters import PhotoFilter, days_of
from panthera_vision.ui.i18n import SEARCH, text

_KEYS = ("species", "licenses", "observers", "first_day", "last_day", "place")


def _key(name: str) -> str:
    return f"filter {name}"


def clear_filters(page: Any) -> None:
    """Ask for nothing again."""
    for name in ("species", "licenses", "observers"):
        page.session_state[_key(name)] = []
    for name in ("first_day", "last_day"):
        page.session_state[_key(name)] = None
    page.session_state[_key("place")] = ""


def filter_choice(page: Any, table: pd.DataFrame, language: Language) -> PhotoFilter:
    """Show the filters, and return what they ask for.

    Args:
        page: the `streamlit` module, handed in so that the package needs no Streamlit.
        table: the index's photos.
        language: of the page.
    """
    say = partial(text, SEARCH, language)
    for name in _KEYS:
        # A widget that the page left out for a while would start empty.
        if _key(name) in page.session_state:
            page.session_state[_key(name)] = page.session_state[_key(name)]
    days = [day for day in days_of(table) if day is not None]
    with page.expander(say("filters"), expanded=bool(_in_use(page)), key="filters"):
        left, right = page.columns(2)
        species = left.multiselect(
            say("species_filter"),
            _values(table, "species"),
            format_func=partial(common_name, language=language),
            placeholder=say("all_species"),
            key=_key("species"),
        )
        observers = left.multiselect(
            say("observer_filter"),
            _values(table, "observer"),
            placeholder=say("all_observers"),
            key=_key("observers"),
        )
        place = left.text_input(
            say("place_filter"),
            placeholder=say("place_example"),
            max_chars=100,
            key=_key("place"),
        )
        licenses = right.multiselect(
            say("license_filter"),
            _values(table, "license"),
            format_func=lambda code: code or say("no_license"),
            placeholder=say("all_licenses"),
            key=_key("licenses"),
        )
        first = _day(page, right, "first_day", say("first_day"), days)
        last = _day(page, right, "last_day", say("last_day"), days)
        page.button(say("clear_filters"), on_click=clear_filters, args=(page,))
    return PhotoFilter(tuple(species), tuple(licenses), tuple(observers), first, last, place)


def _values(table: pd.DataFrame, column: str) -> list[str]:
    return sorted(table[column].unique()) if column in table else []


def _in_use(page: Any) -> bool:
    return any(page.session_state.get(_key(name)) for name in _KEYS)


def _day(page: Any, place: Any, name: str, label: str, days: Sequence[date]) -> date | None:
    chosen: date | None = place.date_input(
        label,
        value=page.session_state.get(_key(name)),
        min_value=min(days, default=None),
        max_value=max(days, default=None),
        format="YYYY-MM-DD",
        key=_key(name),
    )
    return chosen
