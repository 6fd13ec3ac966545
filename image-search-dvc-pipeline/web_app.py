"""Which photos of the collection look most like this one? `streamlit run web_app.py`"""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.search.index.manifest import DamagedIndexError, ForeignIndexError
from panthera_vision.search.live_index import LiveIndex
from panthera_vision.search.projection import NEIGHBORS, PhotoMap, read_map
from panthera_vision.search.results import results_csv, species_agreement
from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.data_note import show_data_note
from panthera_vision.ui.i18n import SEARCH, plain, text
from panthera_vision.ui.language import language_choice
from panthera_vision.ui.search.filters import filter_choice
from panthera_vision.ui.search.hits import STYLE, Gallery, show_examples, show_results
from panthera_vision.ui.search.map import show_map
from panthera_vision.ui.search.query import photo_choice, query_vector, show_query
from panthera_vision.ui.search.state import Query, current_query
from panthera_vision.ui.search.thumbnails import PhotoShelf
from panthera_vision.ui.search.wording import agreement_sentence
from panthera_vision.ui.uploader_widget import dress_uploader
from panthera_vision.ui.uploads import MAXIMUM_UPLOAD_BYTES

PIPELINE = Path(__file__).resolve().parent
MODEL = PIPELINE / "model_weights" / "best_model.pth"
INDEX = PIPELINE / "faiss_index"
MAP = PIPELINE / "results" / "collection_map.csv"
CREDITS = PIPELINE / "results" / "CREDITS.csv"
SHELF = PhotoShelf(INDEX, photo_folders(PIPELINE))


@st.cache_resource(max_entries=1, show_spinner=False)
def search_service(model: Path, index: Path) -> LiveIndex:
    """Model and index in memory, once for all visitors."""
    configure_process()
    return LiveIndex(model, index)


@st.cache_resource(max_entries=1, show_spinner=False)
def load_map(path: Path, modified: int, model_fingerprint: str, _search: Searcher) -> PhotoMap:
    """The map in memory, once for all visitors; a new one is loaded anew."""
    return read_map(path, _search.index.table["id"])


@st.cache_data(max_entries=1000, show_spinner=False)
def load_thumbnail(file: str, modified: int) -> bytes | None:
    """A photo as the page shows it; the same one is not decoded with every click."""
    return SHELF.thumbnail(file)


def thumbnail(file: str) -> bytes | None:
    """A photo as the page shows it, read anew where its file has changed."""
    return load_thumbnail(file, SHELF.modified(file))


def show_problem(problem: UserError, language: Language) -> None:
    """What is wrong, and what to run."""
    say = partial(text, SEARCH, language)
    kinds = {DamagedIndexError: "damaged_index", ForeignIndexError: "foreign_index"}
    kind = kinds.get(type(problem), "no_index")
    st.warning(say(kind))
    st.header(say("what_to_run"))
    st.markdown(say("no_index_help" if kind == "no_index" else "mended_by_repro"))
    show_details(problem, language)


def show_details(problem: UserError, language: Language) -> None:
    """A problem's own words, without this machine's folders."""
    words = str(problem).replace(f"{PIPELINE}/", "")
    st.caption(text(SEARCH, language, "technical", problem=plain(words)))


def show_search(gallery: Gallery, search: Searcher, query: Query, language: Language) -> None:
    """The photo, the filters, and the most similar photos that pass them."""
    say = partial(text, SEARCH, language)
    dress_uploader(st, language, MAXIMUM_UPLOAD_BYTES // 1_000_000)
    photo_choice(st, language)
    if query.unknown:
        st.warning(say("unknown_photo"))
    if query.row is None and query.upload and query.upload.photo is None:
        reason = say(query.upload.reason)
        st.error(say("unreadable", name=plain(query.upload.name), reason=reason))
    vector = query_vector(st, search, query)
    if vector is None:
        show_examples(gallery)
        return
    show_query(gallery, query)
    wanted = filter_choice(st, gallery.table, language)
    if wanted.first_day and wanted.last_day and wanted.first_day > wanted.last_day:
        st.warning(say("wrong_days"))
    passing = st.empty()
    left, right = st.columns(2, vertical_alignment="center")
    count = left.slider(say("count"), 5, 50, 10, key="count", persist_state="session")
    fold = right.toggle(say("fold"), value=True, help=say("fold_help"), key="fold")
    result = search.search(vector, count, where=wanted, group_duplicates=fold, exclude=query.row)
    hits = result.groups
    if wanted.parts_in_use:
        passing.caption(say("passing", count=result.matching, total=len(gallery.table)))
    if not hits:
        st.info(say("no_hits"))
        return
    st.header(say("results", count=len(hits)))
    if len(wanted.species) != 1:  # else they agree because they were asked to
        species = [gallery.photo(hit.best.row)["species"] for hit in hits]
        sentence = agreement_sentence(species_agreement(species), language)
        st.markdown(sentence, help=say("agreement_help"))
    show_results(gallery, hits)
    table = results_csv(gallery.table, hits)
    st.download_button(
        say("take_results"), table, "similar_photos.csv", "text/csv", on_click="ignore"
    )


def show_collection(gallery: Gallery, search: Searcher, query: Query, language: Language) -> None:
    """The map, with the photo that is searched with on it."""
    say = partial(text, SEARCH, language)
    try:
        modified = MAP.stat().st_mtime_ns if MAP.exists() else 0
        photo_map = load_map(MAP, modified, search.index.manifest.index_sha256, search)
    except UserError as problem:
        st.warning(say("no_map"))
        st.markdown(say("mended_by_repro"))
        show_details(problem, language)
        return
    place: np.ndarray | None = None
    note = ""
    vector = query_vector(st, search, query)
    if query.row is not None:
        place, note = photo_map.positions[query.row], say("map_query_own")
    elif vector is not None:
        nearest = search.search(vector, NEIGHBORS, group_duplicates=False).groups
        place = photo_map.position_of([group.best for group in nearest])
        note = say("map_query_guess")
    show_map(gallery, photo_map, place, note)


def main() -> None:
    st.set_page_config(page_title="Panthera Vision", page_icon="🐆", layout="wide")
    language = language_choice(st, SEARCH)
    say = partial(text, SEARCH, language)
    st.title(say("title"))
    try:
        search, problem = search_service(MODEL, INDEX).searcher()
    except UserError as failure:
        show_problem(failure, language)
        return
    if problem:
        st.warning(say("earlier_index"))
        show_details(problem, language)
    if search.predictor.model.training.get("synthetic_photos"):
        st.info(say("synthetic"))
    st.html(STYLE)
    st.markdown(say("intro"))
    st.caption(say("collection", count=len(search.index.table)))
    view = st.segmented_control(
        say("view"),
        ["view_search", "view_map"],
        default="view_search",
        required=True,
        format_func=say,
        key="view",
        label_visibility="collapsed",
    )
    gallery = Gallery(st, search.index.table, thumbnail, language)
    query = current_query(st, gallery.table)
    if view == "view_map":
        show_collection(gallery, search, query, language)
    else:
        show_search(gallery, search, query, language)
    show_data_note(st, SEARCH, language, CREDITS)


main()
