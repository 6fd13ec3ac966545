"""Show the review page: one suspicious photo, what speaks for a wrong label, and the decision."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from panthera_vision.data.photo_table import read_photos
from panthera_vision.data.review_queue import (
    LISTS,
    ReviewFiles,
    ReviewItem,
    ReviewQueue,
    read_review_queue,
)
from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.parameters import PrepareParameters, read_parameters
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.review.access import is_writable
from panthera_vision.ui.review.comparison import show_comparison
from panthera_vision.ui.review.photos import find_indexed_photos, load_large
from panthera_vision.ui.review.session import (
    ReviewSession,
    ask_for_reviewer,
    load_corrections,
    take_problem,
)
from panthera_vision.ui.review.verdicts import STYLE, show_verdicts

_PREFETCHED = 3  # photos that are made ready while a person looks at one


def show_review_page(paths: ClassifierPaths, language: Language) -> None:
    """Show the next photo to look at."""
    t = Translator("review", language)
    st.title(t("title"))
    st.html(STYLE)
    ask_for_reviewer(t("reviewer"), t("reviewer_help"))
    try:
        queue = _read_queue(paths)
        corrections = load_corrections(paths.corrections)
        species = _species(paths)
    except UserError as problem:
        st.warning(plain(str(problem)))
        return
    if not is_writable(paths.corrections):
        st.warning(t("read_only", file=plain(paths.corrections.name)))
    if failure := take_problem():
        st.error(t("not_saved", problem=plain(failure)))
    session = ReviewSession(paths.corrections, _chosen(queue, species, t), corrections)
    _show_progress(session, t)
    item = session.current
    if item is None:
        _show_end(queue, session, t)
        return
    left, right = st.columns([5, 6], gap="medium")
    with left:
        _show_photo(paths, item, t)
        show_verdicts(session, item, species, t)
    with right:
        indexed = find_indexed_photos(paths)
        if indexed is None:
            st.caption(t("no_index"))
        else:
            show_comparison(indexed, item, t)
    # The reviewer looks at the photo meanwhile; a decision interrupts this.
    for following in session.upcoming(_PREFETCHED):
        load_large(paths, following)
        if indexed is not None:
            indexed.neighbors(following)


def _files(paths: ClassifierPaths) -> ReviewFiles:
    search = paths.search.results
    return ReviewFiles(
        photos=paths.photos,
        label_review=paths.results / "label_review.csv",
        disagreeing=search / "disagreeing_neighbours.csv",
        duplicates=search / "duplicates_across_splits.csv",
        predictions=paths.results / "test_predictions.csv",
        proposed=paths.results / "proposed_photos.csv",
    )


def _read_queue(paths: ClassifierPaths) -> ReviewQueue:
    files = _files(paths)
    stamps = [path.stat().st_mtime_ns if path.exists() else 0 for path in vars(files).values()]
    return _read_queue_of(paths, *stamps)


@st.cache_data(max_entries=1, show_spinner=False)
def _read_queue_of(paths: ClassifierPaths, *stamps: int) -> ReviewQueue:
    return read_review_queue(_files(paths))


def _species(paths: ClassifierPaths) -> tuple[str, ...]:
    """Return the species to choose from: those of the settings, or else those of the photos."""
    if paths.settings.exists():
        return read_parameters("prepare", PrepareParameters, paths.settings).allowed_species
    return tuple(sorted(pd.unique(read_photos(paths.photos)["species"])))


def _chosen(queue: ReviewQueue, species: Sequence[str], t: Translator) -> list[ReviewItem]:
    """Ask in the sidebar which lists and species to show; return the photos."""
    counts = {name: sum(name in item.suspicion for item in queue.items) for name in LISTS}
    with st.sidebar:
        lists = st.multiselect(
            t("lists"),
            [name for name in LISTS if counts[name]],
            format_func=lambda name: f"{t(f'list_{name}')} ({counts[name]})",
            placeholder=t("all"),
            key="review lists",
        )
        names = st.multiselect(
            t("species"), species, format_func=t.species, placeholder=t("all"), key="review species"
        )
    return queue.matching(lists, names)


def _show_progress(session: ReviewSession, t: Translator) -> None:
    total = len(session.items)
    left = len(session.undecided)
    if total:
        st.progress((total - left) / total, text=t("progress", done=total - left, count=left))


def _show_end(queue: ReviewQueue, session: ReviewSession, t: Translator) -> None:
    """Say that nothing is left, what to run now, and which lists could not be read."""
    st.success(t("nothing_left") if session.items else t("nothing_listed"))
    if session.last_decision():
        st.button(
            t("undo"), key="undo", on_click=session.undo, shortcut="U", icon=":material/undo:"
        )
    st.markdown(t("what_now"))
    for name, problem in queue.problems.items():
        st.caption(f"{t(f'list_{name}')}: {plain(problem)}")


def _show_photo(paths: ClassifierPaths, item: ReviewItem, t: Translator) -> None:
    """Show the photo, its label, and why it is listed."""
    photo = load_large(paths, item)
    label = t("label", species=plain(t.species(item.species))) if item.species else t("no_label")
    st.markdown(f"**{label}**")
    if photo is None:
        st.warning(t("photo_gone"))
    else:
        st.container(key="photo").image(photo, width="stretch", alt=label)
    reasons = [
        t(f"why_{name}", share=t.percent(item.suspicion[name], 0)) for name in item.suspicion
    ]
    if item.suggested and item.suggested != item.species:
        reasons.insert(0, t("suggested", species=plain(t.species(item.suggested))))
    name = item.photo.id or Path(item.file).name
    st.caption(" · ".join([*reasons, plain(name)]))
