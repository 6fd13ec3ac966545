"""Keep view and filters in the page's address: whoever gets the address sees the same."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from panthera_vision.errors import UserError
from panthera_vision.search.filters import ALL_RIGHTS_RESERVED, FilterColumns, PhotoFilter
from panthera_vision.ui.search.filters import fill_in_filter

VIEWS = ("view_search", "view_map")
_VIEW, _MAP = "view", "map"
_READ = "address was read"
_LONGEST, _MOST_VALUES = 100, 20
# Parameter of the address → attribute of the filter.
_LISTS = {"species": "species", "license": "licenses", "observer": "observers"}
_DAYS = {"from": "first_day", "to": "last_day"}


def read_address(columns: FilterColumns) -> bool:
    """Take view and filters from the address (untrusted) at a visitor's first look.

    Returns:
        Whether a part was left out, since it is not a value of the collection, or no date.
    """
    if st.session_state.get(_READ):
        return False
    st.session_state[_READ] = True
    if st.query_params.get(_VIEW) == _MAP:
        st.session_state.setdefault("view", VIEWS[1])
    where, ignored = parse_filter(
        {name: st.query_params.get_all(name) for name in (*_LISTS, *_DAYS, "place")}, columns
    )
    if where.parts_in_use:
        fill_in_filter(where)
    return ignored


def parse_filter(
    values: Mapping[str, list[str]], columns: FilterColumns
) -> tuple[PhotoFilter, bool]:
    """Return the filter that parameters of an address ask for, and whether some were left out."""
    where, ignored = PhotoFilter(), False
    for name, some in values.items():
        for value in some[:_MOST_VALUES]:
            try:
                where = columns.resolve(_with(where, name, value[:_LONGEST], columns))
            except (UserError, ValueError):
                ignored = True
        ignored |= len(some) > _MOST_VALUES
    return where, ignored


def _with(where: PhotoFilter, name: str, value: str, columns: FilterColumns) -> PhotoFilter:
    """Return the filter with one more value; ValueError if it is no date of the collection."""
    changes: dict[str, Any]
    if name in _LISTS:
        changes = {_LISTS[name]: (*getattr(where, _LISTS[name]), value)}
    elif name in _DAYS:
        day = date.fromisoformat(value)
        if columns.days is None or not columns.days[0] <= day <= columns.days[1]:
            raise ValueError(f"{day} is outside the days of the collection")
        changes = {_DAYS[name]: day}
    else:
        changes = {name: value}
    return replace(where, **changes)


def write_address(view: str | None, where: PhotoFilter | None = None) -> None:
    """Put the view, and the filters where they are known, into the address."""
    wanted: dict[str, list[str]] = {_VIEW: [_MAP] if view == VIEWS[1] else []}
    if where is not None:
        for name, attribute in _LISTS.items():
            wanted[name] = [value or ALL_RIGHTS_RESERVED for value in getattr(where, attribute)]
        for name, attribute in _DAYS.items():
            day = getattr(where, attribute)
            wanted[name] = [day.isoformat()] if day else []
        wanted["place"] = [where.place] if where.place.strip() else []
    for name, values in wanted.items():
        if st.query_params.get_all(name) == values:
            continue
        if values:
            st.query_params[name] = values
        else:
            del st.query_params[name]
