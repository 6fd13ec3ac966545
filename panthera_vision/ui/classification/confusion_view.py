"""The confusion matrix, and the test photos of the cell that is chosen in it."""

from functools import partial

import pandas as pd
import streamlit as st

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_path
from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.ui.captions import credit_lines
from panthera_vision.ui.classification import cache
from panthera_vision.ui.i18n import QUALITY, percent, plain, text
from panthera_vision.ui.report.quality_charts import CELL, confusion_chart
from panthera_vision.ui.report.quality_figures import (
    Quality,
    confusions,
    largest_confusion,
    photos_of,
    with_credits,
)

_ACTUAL = "confusion actual"
_PREDICTED = "confusion predicted"
_SHOWN = "confusion photos shown"
_PHOTOS_AT_ONCE = 12
_PHOTO_WIDTH = 150
# For screens of twice the points.
_PHOTO_PIXELS = (2 * _PHOTO_WIDTH, 2 * _PHOTO_WIDTH)


def show_confusions(
    quality: Quality, photos: pd.DataFrame | None, problem: str, language: Language
) -> None:
    """Show what is taken for what; a cell is chosen by pointer in the chart, or by keyboard.

    Args:
        quality: the evaluation.
        photos: rows of `photos.csv`, which say whose the photos are; None where they can't be had.
        problem: why not.
        language: of the page.
    """
    say = partial(text, QUALITY, language)
    st.header(say("confusions"))
    st.markdown(say("confusions_help"))
    table, species = confusions(quality), quality.species
    if not {st.session_state.get(_ACTUAL), st.session_state.get(_PREDICTED)} <= set(species):
        st.session_state[_ACTUAL], st.session_state[_PREDICTED] = largest_confusion(table)
    matrix, choice = st.columns([3, 2], gap="large")
    with choice:
        called = partial(common_name, language=language)
        actual, predicted = (
            st.selectbox(
                say(label), species, format_func=called, key=key, on_change=_forget_how_many
            )
            for label, key in (("actual", _ACTUAL), ("predicted", _PREDICTED))
        )
    with matrix:
        described = confusion_chart(table, actual, predicted, language)
        # A chart of its own for each choice: the same cell can be chosen again after another
        # was chosen by keyboard.
        key = f"confusion matrix {actual} {predicted}"
        st.altair_chart(
            described.chart,
            width="stretch",
            key=key,
            on_select=partial(_take_cell, key, species),
            alt=described.words,
        )
    cell = photos_of(quality, actual, predicted)
    if cell.empty:
        st.markdown(say("no_photos_in_cell"))
        return
    if photos is None:
        st.warning(say("no_credits", problem=plain(problem)))
        return
    st.markdown(say("surest_first", count=len(cell)))
    _show_photos(with_credits(cell, photos), language)


def _take_cell(key: str, species: list[str]) -> None:
    """Put the chart's cell into the select boxes."""
    chosen = st.session_state[key]["selection"].get(CELL) or []
    if not chosen:
        return
    actual, predicted = chosen[0].get("actual"), chosen[0].get("predicted")
    if actual in species and predicted in species:  # it comes from the visitor's browser
        st.session_state[_ACTUAL], st.session_state[_PREDICTED] = actual, predicted
        _forget_how_many()


def _forget_how_many() -> None:
    st.session_state.pop(_SHOWN, None)


def _show_photos(rows: list[dict[str, str]], language: Language) -> None:
    say = partial(text, QUALITY, language)
    count = st.session_state.get(_SHOWN, _PHOTOS_AT_ONCE)
    with st.container(horizontal=True):
        for row in rows[:count]:
            with st.container(width=_PHOTO_WIDTH):
                _show_photo(row, language)
    left = len(rows) - count
    if left > 0 and st.button(say("show_more", count=left)):
        st.session_state[_SHOWN] = count + _PHOTOS_AT_ONCE
        st.rerun()


def _show_photo(row: dict[str, str], language: Language) -> None:
    say = partial(text, QUALITY, language)
    actual, predicted = (common_name(row[name], language) for name in ("actual", "predicted"))
    try:
        file = photo_path(row["file"], cache.RESULTS, photo_folders(cache.PIPELINE))
        photo = read_photo(file)
        photo.thumbnail(_PHOTO_PIXELS)
        alternative = say("photo_alt", id=row["id"], actual=actual, predicted=predicted)
        st.image(photo, width=_PHOTO_WIDTH, alt=alternative)
    except (PhotoError, UserError):
        st.caption(say("photo_gone"))
    named = actual if actual == predicted else f"{actual} → {predicted}"
    lines = [
        f"**{plain(named)}**",
        say("confidence_of", probability=percent(float(row["probability"]), language)),
        *credit_lines(row, QUALITY, language),
    ]
    st.caption("  \n".join(lines))
