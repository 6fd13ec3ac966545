"""Run the search app: the photos of the collection that look most like the visitor's."""

from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.search.index.backend import BackendUnavailableError
from panthera_vision.search.index.manifest import DamagedIndexError, ForeignIndexError
from panthera_vision.search.live_index import LiveIndex
from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.credits_note import show_credits_note
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.layout import show_title
from panthera_vision.ui.paths import SearchPaths
from panthera_vision.ui.search.address import VIEWS, read_address, write_address
from panthera_vision.ui.search.gallery import STYLE, Gallery
from panthera_vision.ui.search.map_view import show_map_view
from panthera_vision.ui.search.query import current_query
from panthera_vision.ui.search.search_view import show_search_view

_PROBLEMS = {
    DamagedIndexError: "damaged_index",
    ForeignIndexError: "foreign_index",
    BackendUnavailableError: "no_server",
}


def load(pipeline: Path) -> None:
    """Load model and index for all visitors; the page says what is wrong with them."""
    configure_process()
    paths = SearchPaths(pipeline)
    with suppress(UserError):
        _load_index(paths.model, paths.index).searcher()


def main(pipeline: Path, language: Language) -> None:
    """Show the page on the model and the index of the pipeline in the folder `pipeline`."""
    paths, t = SearchPaths(pipeline), Translator("search", language)
    header = show_title(t("title"))
    try:
        searcher, problem = _load_index(paths.model, paths.index).searcher()
    except UserError as failure:
        kind = _PROBLEMS.get(type(failure), "no_index")
        st.warning(t(kind))
        if kind != "no_server":
            st.header(t("what_to_run"))
            st.markdown(t("no_index_help" if kind == "no_index" else "mended_by_repro"))
        _show_details(failure, paths, t)
        return
    if problem:
        st.warning(t("earlier_index"))
        _show_details(problem, paths, t)
    st.html(STYLE)
    if read_address(searcher.index.columns):
        st.warning(t("address_ignored"))
    with header:
        view = _choose_view(t)
    write_address(view)
    gallery = Gallery(searcher.index.table, paths, t)
    query = current_query(gallery.table)
    if query.is_given:
        _show_notes(searcher, st.sidebar, t)
    else:
        _show_notes(searcher, st.container(), t)
        st.markdown(t("intro"))
    try:
        if view == "view_search":
            show_search_view(gallery, searcher, query)
        else:
            show_map_view(gallery, searcher, query)
    except BackendUnavailableError as failure:
        st.warning(t("no_server"))
        _show_details(failure, paths, t)
    except UserError as failure:
        st.warning(t("no_map"))
        st.markdown(t("mended_by_repro"))
        _show_details(failure, paths, t)
    show_credits_note(paths.results, t)


def _show_notes(searcher: Searcher, place: DeltaGenerator, t: Translator) -> None:
    """Say what is in the collection: the photos are counted, and may be synthetic."""
    if searcher.predictor.model.training.get("synthetic_photos"):
        place.info(t("synthetic"))
    place.caption(t("collection", count=len(searcher.index.table)))


def _choose_view(t: Translator) -> str:
    st.session_state.setdefault("view", VIEWS[0])
    view = st.segmented_control(
        t("view"),
        VIEWS,
        required=True,
        format_func=t,
        key="view",
        label_visibility="collapsed",
        width="content",
    )
    return view or VIEWS[0]


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_index(model: Path, index: Path) -> LiveIndex:
    """Hold model and index in memory, once for all visitors."""
    return LiveIndex(model, index)


def _show_details(problem: UserError, paths: SearchPaths, t: Translator) -> None:
    """Show a problem's message without this machine's folders."""
    message = str(problem).replace(f"{paths.folder}/", "")
    st.caption(t("technical", problem=plain(message)))
