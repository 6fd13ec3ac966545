"""The map of the collection as a chart to point at and click."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.reporting.palette import marker_styles
from panthera_vision.search.projection import PhotoMap
from panthera_vision.ui.i18n import SEARCH, text
from panthera_vision.ui.search.hits import Gallery
from panthera_vision.ui.search.state import search_with
from panthera_vision.ui.search.wording import details

_PICK = "pick"
# Of the photo that is searched with; reads on a light and on a dark page.
_QUERY_COLOUR = "#E6007E"


def map_table(
    table: pd.DataFrame, photo_map: PhotoMap, query: np.ndarray | None, language: Language
) -> pd.DataFrame:
    """The chart's points: the photos, and the one that is searched with as the last."""
    points = pd.DataFrame(
        {
            "id": table["id"],
            "x": photo_map.positions[:, 0],
            "y": photo_map.positions[:, 1],
            "species": [common_name(name, language) for name in table["species"]],
        }
    )
    for name in ("observer", "observed_on", "place"):
        points[name] = table.get(name, "")
    if query is None:
        return points
    label = text(SEARCH, language, "map_query")
    own = {"id": "", "x": query[0], "y": query[1], "species": label}
    return pd.concat([points, pd.DataFrame([own])], ignore_index=True).fillna("")


def map_chart(species: list[str], with_query: bool, language: Language) -> dict[str, Any]:
    """The chart in Vega-Lite's words; its data are those of `map_table`."""
    say = partial(text, SEARCH, language)
    marks = marker_styles(species)
    names = [common_name(name, language) for name in species]
    colours = [mark.color for mark in marks.values()]
    shapes = [mark.shape for mark in marks.values()]
    if with_query:
        names.append(say("map_query"))
        colours.append(_QUERY_COLOUR)
        shapes.append("cross")
    legend = {
        "orient": "bottom",
        "columns": 2,
        "title": None,
        "labelLimit": 150,
        "symbolOpacity": 1,
    }
    axis = {"axis": None, "scale": {"domain": [-1.05, 1.05]}}
    bright = {"param": "species", "value": 0.85}
    tooltip = (
        ("species", "map_species"),
        ("observer", "map_observer"),
        ("observed_on", "map_day"),
        ("place", "map_place"),
        ("id", "map_number"),
    )
    return {
        "mark": {"type": "point", "filled": True, "cursor": "pointer"},
        "params": [
            {"name": _PICK, "select": {"type": "point", "fields": ["id"]}},
            {
                "name": "species",
                "select": {"type": "point", "fields": ["species"]},
                "bind": "legend",
            },
            {
                "name": "zoom",
                "select": {"type": "interval", "zoom": "wheel![event.shiftKey]"},
                "bind": "scales",
            },
        ],
        "encoding": {
            "x": {"field": "x", "type": "quantitative", **axis},
            "y": {"field": "y", "type": "quantitative", **axis},
            "color": {
                "field": "species",
                "type": "nominal",
                "scale": {"domain": names, "range": colours},
                "legend": legend,
            },
            "shape": {
                "field": "species",
                "type": "nominal",
                "scale": {"domain": names, "range": shapes},
                "legend": legend,
            },
            "size": {"condition": {"test": "datum.id === ''", "value": 600}, "value": 45},
            "opacity": {"condition": bright, "value": 0.08},
            "tooltip": [
                {"field": field, "type": "nominal", "title": say(title)} for field, title in tooltip
            ],
        },
    }


def show_map(gallery: Gallery, photo_map: PhotoMap, query: np.ndarray | None, note: str) -> None:
    """The map, and the photo that was chosen on it.

    Args:
        gallery: what photos are shown with.
        photo_map: where they lie.
        query: where the photo that is searched with lies; None where there is none.
        note: what that place is worth.
    """
    page, language = gallery.page, gallery.language
    say = partial(text, SEARCH, language)
    page.caption(say("map_help"))
    if note:
        page.markdown(note)
    wide, narrow = page.columns([3, 1])
    event = wide.vega_lite_chart(
        map_table(gallery.table, photo_map, query, language),
        map_chart(sorted(gallery.table["species"].unique()), query is not None, language),
        width="stretch",
        height=620,
        key="map",
        on_select="rerun",
        selection_mode=[_PICK],
        alt=say("map_alt"),
    )
    row = _chosen_row(gallery.table, event)
    # The same without a pointer: the list is typed into, and goes by arrow keys.
    numbers = gallery.table["id"].tolist()
    typed = narrow.selectbox(
        say("map_choose"), numbers, index=None, placeholder=say("map_nothing"), key="map number"
    )
    if row is None and typed is not None:
        row = numbers.index(typed)
    if row is None:
        return
    photo = gallery.photo(row)
    gallery.show_photo(narrow, row)
    narrow.markdown(details(photo, language))
    narrow.button(
        say("search_with_this"),
        key="use from map",
        on_click=_leave_map,
        args=(page, photo["id"]),
        width="stretch",
    )


def _leave_map(page: Any, photo: str) -> None:
    search_with(page, photo)
    page.session_state["view"] = "view_search"


def _chosen_row(table: pd.DataFrame, event: Any) -> int | None:
    """The photo that was clicked; what comes back from the browser is checked."""
    picked = (event.get("selection") or {}).get(_PICK) if event else None
    if not isinstance(picked, list) or not picked or not isinstance(picked[0], dict):
        return None
    rows = table.index[table["id"] == str(picked[0].get("id", ""))]
    return int(rows[0]) if len(rows) else None
