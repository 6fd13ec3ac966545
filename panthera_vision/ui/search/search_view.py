"""Show the query photo, the filters, and the most similar photos that pass them."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from panthera_vision.data.taxonomy import COMMON_NAMES
from panthera_vision.search.results import results_csv, species_agreement
from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.captions import photo_details
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.layout import inputs_place, scroll_to_top_on_change
from panthera_vision.ui.search.address import VIEWS, write_address
from panthera_vision.ui.search.animal import choose_animal
from panthera_vision.ui.search.filters import ask_for_filter
from panthera_vision.ui.search.gallery import Gallery
from panthera_vision.ui.search.query import (
    Query,
    ask_for_photo,
    can_go_back,
    embed_query,
    go_back,
    start_again,
    upload_content,
)
from panthera_vision.ui.uploader_widget import localize_uploaders
from panthera_vision.ui.uploads import shown_photo

_QUERY_WIDTH = 150  # pixels


def show_search_view(gallery: Gallery, searcher: Searcher, query: Query) -> None:
    """Ask for a photo; show the results, or examples to search with."""
    t = gallery.t
    localize_uploaders(t)
    with inputs_place(query.is_given):
        ask_for_photo(t)
        if query.row is None:
            query = replace(query, upload=choose_animal(query.upload, upload_content(), t))
    if query.unknown:
        st.warning(t("unknown_photo"))
    if query.row is None and query.upload and query.upload.photo is None:
        reason = t.reason(query.upload.reason)
        st.error(t("unreadable", name=plain(query.upload.name), reason=reason))
    elif query.row is None and query.upload and query.upload.note:
        note = t.reason(query.upload.note)
        st.info(t("photo_note", name=plain(query.upload.name), note=note))
    embedding = embed_query(searcher, query)
    scroll_to_top_on_change(query.key)
    if embedding is None:
        gallery.show_examples()
        return
    _show_query(gallery, query)
    with st.sidebar:
        where = ask_for_filter(searcher.index.columns, t)
        k = st.slider(t("count"), 5, 50, 10, key="count", persist_state="session")
        group_duplicates = st.toggle(
            t("group_duplicates"),
            value=True,
            help=t("group_duplicates_help"),
            key="group duplicates",
            persist_state="session",
        )
    write_address(VIEWS[0], where)
    if where.first_day and where.last_day and where.first_day > where.last_day:
        st.warning(t("wrong_days"))
    result = searcher.search(
        embedding, k, where=where, group_duplicates=group_duplicates, exclude=query.row
    )
    if where.parts_in_use:
        caption = t("passing", count=result.matching, total=len(gallery.table))
        undated = searcher.index.columns.undated
        if undated and (where.first_day or where.last_day):
            caption += " " + t("undated", count=undated)
        st.caption(caption)
    if not result.groups:
        st.info(t("no_hits"))
        return
    st.header(t("results", count=len(result.groups)))
    if len(where.species) != 1:  # with one species there is nothing to agree on
        species = [gallery.photo(group.best.row)["species"] for group in result.groups]
        st.markdown(agreement_sentence(species, t), help=t("agreement_help"))
    gallery.show_results(result.groups)
    table = results_csv(gallery.table, result.groups)
    st.download_button(
        t("take_results"), table, "similar_photos.csv", "text/csv", on_click="ignore"
    )


def _show_query(gallery: Gallery, query: Query) -> None:
    """Show the query photo, and the ways back from it."""
    t = gallery.t
    with st.container(key="query", horizontal=True, vertical_alignment="center"):
        photo = st.container(width=_QUERY_WIDTH)
        # As a caption: the results are the text of the page.
        if query.row is not None:
            gallery.show_photo(photo, query.row)
            details = photo_details(gallery.photo(query.row), t)
            st.caption(f"**{t('query_photo')}**  \n{details}", help=t("shareable"), width="content")
        elif query.upload is not None and (shown := shown_photo(query.upload)) is not None:
            words = t("your_photo")
            photo.image(shown, alt=words, width="stretch")
            st.caption(f"**{words}**  \n{plain(query.upload.name)}", width="content")
        if can_go_back():
            st.button(t("back"), icon=":material/arrow_back:", on_click=go_back)
        st.button(t("start_anew"), icon=":material/restart_alt:", on_click=start_again)


def agreement_sentence(species: Sequence[str], t: Translator) -> str:
    """Say whether most of the results show one species, and which."""

    def within_sentence(name: str) -> str:
        return t.species(name).lower() if name in COMMON_NAMES else name

    agreement = species_agreement(species)
    if agreement.majority is None:
        counts = [f"{within_sentence(count.species)} ({count.hits})" for count in agreement.counts]
        return t("agreement_none", species=", ".join(counts))
    count, total = agreement.counts[0].hits, agreement.total
    key = "agreement_all" if count == total else "agreement_most"
    return t(key, species=within_sentence(agreement.majority), count=count, total=total)
