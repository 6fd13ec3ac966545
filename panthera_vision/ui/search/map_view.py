"""Show the t-SNE map of the collection, whose points can be clicked."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from panthera_vision.reporting.palette import QUERY_COLOR, marker_styles
from panthera_vision.search.projection import NEIGHBORS, PhotoMap, read_map
from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.captions import photo_details
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.sampling import MOST_CHOICES, shown_rows
from panthera_vision.ui.search.gallery import Gallery
from panthera_vision.ui.search.query import Query, embed_query, search_with

_MAP_FILE = "collection_map.csv"
_PICK = "pick"
_TOOLTIP = {
    "species": "map_species",
    "observer": "map_observer",
    "observed_on": "map_day",
    "place": "map_place",
    "id": "map_number",
}


def show_map_view(gallery: Gallery, searcher: Searcher, query: Query) -> None:
    """Show the map, the query photo on it, and the photo that the visitor selects.

    Raises:
        UserError: there is no usable map.
    """
    t = gallery.t
    path = gallery.paths.results / _MAP_FILE
    modified = path.stat().st_mtime_ns if path.exists() else 0
    photo_map = _load_map(path, modified, searcher.index.manifest.index_sha256, searcher)
    st.caption(t("map_help"))
    position, near = None, []
    if query.row is not None:
        position, near = photo_map.positions[query.row], [query.row]
        st.markdown(t("map_query_own"))
    else:
        embedding = embed_query(searcher, query)
        if embedding is not None:
            nearest = searcher.search(embedding, NEIGHBORS, group_duplicates=False).groups
            position = photo_map.position_of([group.best for group in nearest])
            near = [group.best.row for group in nearest]
            st.markdown(t("map_query_guess"))
    rows = shown_rows(len(gallery.table), near)
    if len(rows) < len(gallery.table):
        st.caption(t("map_sample", shown=len(rows), count=len(gallery.table)))
    left, right = st.columns([3, 1])
    event = left.vega_lite_chart(
        map_table(gallery.table.iloc[rows], photo_map.positions[rows], position, t),
        map_chart(searcher.index.columns.values("species"), position is not None, t),
        width="stretch",
        height=620,
        key="map",
        on_select="rerun",
        selection_mode=[_PICK],
        alt=t("map_alt"),
    )
    # The same without a pointer: the list takes typed text and arrow keys.
    with right:
        typed = _ask_for_number(gallery.table["id"], t)
    row = _clicked_row(gallery.table, event)
    if row is None and typed:
        row = _row_of(gallery.table, typed)
        if row is None:
            right.warning(t("unknown_photo"))
    if row is None:
        return
    photo = gallery.photo(row)
    gallery.show_photo(right, row)
    right.markdown(photo_details(photo, t))
    right.button(
        t("search_with_this"),
        key="use from map",
        on_click=_search_from_map,
        args=(photo["id"],),
        width="stretch",
    )


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_map(path: Path, modified: int, index_sha256: str, _searcher: Searcher) -> PhotoMap:
    """Hold the map in memory, once for all visitors, until its file or the index changes."""
    return read_map(path, _searcher.index.table["id"])


def _search_from_map(photo: str) -> None:
    search_with(photo)
    st.session_state["view"] = "view_search"


def _clicked_row(table: pd.DataFrame, event: Any) -> int | None:
    """Return the row of the photo that was clicked; the event comes from the browser."""
    picked = (event.get("selection") or {}).get(_PICK) if event else None
    if not isinstance(picked, list) or not picked or not isinstance(picked[0], dict):
        return None
    return _row_of(table, str(picked[0].get("id", "")))


def _row_of(table: pd.DataFrame, photo: str) -> int | None:
    rows = np.flatnonzero((table["id"] == photo).to_numpy())
    return int(rows[0]) if len(rows) else None


def _ask_for_number(ids: pd.Series, t: Translator) -> str | None:
    """Ask for a photo's number: from a list, or typed where the list would be too long."""
    if len(ids) > MOST_CHOICES:
        return st.text_input(t("map_choose"), max_chars=100, key="map number typed").strip()
    chosen: str | None = st.selectbox(
        t("map_choose"), ids.tolist(), index=None, placeholder=t("map_nothing"), key="map number"
    )
    return chosen


def map_table(
    table: pd.DataFrame, positions: np.ndarray, query: np.ndarray | None, t: Translator
) -> pd.DataFrame:
    """Return the points of the chart: the photos, and last the query at its place, if any.

    Args:
        table: the photos to show (n).
        positions: of each on the map (n, 2).
        query: position of the query (2,).
        t: translates.
    """
    points = pd.DataFrame(
        {
            "id": table["id"],
            "x": positions[:, 0],
            "y": positions[:, 1],
            "species": [t.species(name) for name in table["species"]],
        }
    )
    for name in ("observer", "observed_on", "place"):
        points[name] = table.get(name, "")
    if query is None:
        return points
    own = {"id": "", "x": query[0], "y": query[1], "species": t("map_query")}
    return pd.concat([points, pd.DataFrame([own])], ignore_index=True).fillna("")


def map_chart(species: list[str], with_query: bool, t: Translator) -> dict[str, Any]:
    """Return the chart of `map_table` as a Vega-Lite specification."""
    marks = list(marker_styles(species).values())
    names = [t.species(name) for name in species]
    colors, shapes = [mark.color for mark in marks], [mark.shape for mark in marks]
    if with_query:
        names.append(t("map_query"))
        colors.append(QUERY_COLOR)
        shapes.append("cross")

    def by_species(styles: list[str]) -> dict[str, Any]:
        legend = {
            "orient": "bottom",
            "columns": 2,
            "title": None,
            "labelLimit": 150,
            "symbolOpacity": 1,
        }
        scale = {"domain": names, "range": styles}
        return {"field": "species", "type": "nominal", "scale": scale, "legend": legend}

    axis = {"type": "quantitative", "axis": None, "scale": {"domain": [-1.05, 1.05]}}
    by_legend = {"select": {"type": "point", "fields": ["species"]}, "bind": "legend"}
    zoom = {"select": {"type": "interval", "zoom": "wheel![event.shiftKey]"}, "bind": "scales"}
    return {
        "mark": {"type": "point", "filled": True, "cursor": "pointer"},
        "params": [
            {"name": _PICK, "select": {"type": "point", "fields": ["id"]}},
            {"name": "species", **by_legend},
            {"name": "zoom", **zoom},
        ],
        "encoding": {
            "x": {"field": "x", **axis},
            "y": {"field": "y", **axis},
            "color": by_species(colors),
            "shape": by_species(shapes),
            "size": {"condition": {"test": "datum.id === ''", "value": 600}, "value": 45},
            "opacity": {"condition": {"param": "species", "value": 0.85}, "value": 0.08},
            "tooltip": [
                {"field": field, "type": "nominal", "title": t(title)}
                for field, title in _TOOLTIP.items()
            ],
        },
    }
