"""Show what a photo under review resembles: its neighbors, and typical photos of two species."""

from collections.abc import Sequence

import streamlit as st

from panthera_vision.data.review_queue import ReviewItem
from panthera_vision.ui.captions import alt_text
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.review.photos import TYPICAL, IndexedPhotos, Neighbor

_COLUMNS = 5


def show_comparison(indexed: IndexedPhotos, item: ReviewItem, t: Translator) -> None:
    """Show the neighbors of `item`, then typical photos of its label and of the suggestion."""
    if item.duplicate_of and (original := indexed.photo(item.duplicate_of)):
        st.markdown(f"**{t('near_duplicate')}**")
        _show_row([original], t)
    neighbors = indexed.neighbors(item)
    if neighbors:
        st.markdown(f"**{t('neighbors')}**")
        for start in range(0, len(neighbors), _COLUMNS):
            _show_row(neighbors[start : start + _COLUMNS], t)
    names = [name for name in dict.fromkeys((item.species, item.suggested)) if name]
    for column, name in zip(st.columns(2), names, strict=False):
        with column:
            st.markdown(f"**{t('typical', species=plain(t.species(name)))}**")
            _show_row(indexed.typical(name), t, columns=TYPICAL)


def _show_row(photos: Sequence[Neighbor], t: Translator, columns: int = _COLUMNS) -> None:
    for cell, neighbor in zip(st.columns(columns, gap="small"), photos, strict=False):
        if neighbor.thumbnail is None:
            cell.warning(t("photo_gone"))
            continue
        species = plain(t.species(neighbor.photo["species"]))
        cell.image(
            neighbor.thumbnail, caption=species, alt=alt_text(neighbor.photo, t), width="stretch"
        )
