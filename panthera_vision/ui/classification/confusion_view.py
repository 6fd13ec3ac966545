"""Show the confusion matrix, and the test photos of the cell that is selected in it."""

from functools import partial

import pandas as pd
import streamlit as st

from panthera_vision.errors import UserError
from panthera_vision.ui.captions import credit_lines
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.report.quality_charts import CELL, confusion_chart
from panthera_vision.ui.report.quality_figures import Quality, largest_confusion, with_credits
from panthera_vision.ui.thumbnails import load_thumbnail

_ACTUAL = "confusion actual"
_PREDICTED = "confusion predicted"
_SHOWN = "confusion photos shown"
_PAGE_SIZE = 12
_PHOTO_WIDTH = 150


def show_confusions(
    quality: Quality, photos: pd.DataFrame | UserError, paths: ClassifierPaths, t: Translator
) -> None:
    """Show the confusion matrix; a cell is selected in the chart, or by keyboard in two lists.

    Args:
        quality: the evaluation.
        photos: photos.csv, which has the credits; or why it can't be read.
        paths: of the pipeline.
        t: translates the texts.
    """
    st.header(t("confusions"))
    st.markdown(t("confusions_help"))
    table, species = quality.count_confusions(), quality.species
    if not {st.session_state.get(_ACTUAL), st.session_state.get(_PREDICTED)} <= set(species):
        st.session_state[_ACTUAL], st.session_state[_PREDICTED] = largest_confusion(table)
    matrix, choice = st.columns([3, 2], gap="large")
    with choice:
        actual, predicted = (
            st.selectbox(
                t(label),
                species,
                format_func=t.species,
                key=key,
                on_change=_reset_shown,
                persist_state="session",
            )
            for label, key in (("actual", _ACTUAL), ("predicted", _PREDICTED))
        )
    with matrix:
        chart = confusion_chart(table, actual, predicted, t)
        # A chart of its own for each cell: the same cell can be selected again after another was
        # selected by keyboard.
        key = f"confusion matrix {actual} {predicted}"
        select = partial(_select_cell, key, species)
        st.altair_chart(chart.chart, width="stretch", key=key, on_select=select, alt=chart.alt)
    cell = quality.photos_of(actual, predicted)
    if cell.empty:
        st.markdown(t("no_photos_in_cell"))
    elif isinstance(photos, UserError):
        st.warning(t("no_credits", problem=plain(str(photos))))
    else:
        st.markdown(t("surest_first", count=len(cell)))
        _show_photos(with_credits(cell, photos), paths, t)


def _select_cell(key: str, species: list[str]) -> None:
    """Put the chart's selected cell into the select boxes."""
    selected = st.session_state[key]["selection"].get(CELL) or []
    if not selected:
        return
    actual, predicted = selected[0].get("actual"), selected[0].get("predicted")
    if actual in species and predicted in species:  # it comes from the visitor's browser
        st.session_state[_ACTUAL], st.session_state[_PREDICTED] = actual, predicted
        _reset_shown()


def _reset_shown() -> None:
    st.session_state.pop(_SHOWN, None)


def _show_photos(rows: list[dict[str, str]], paths: ClassifierPaths, t: Translator) -> None:
    count = st.session_state.get(_SHOWN, _PAGE_SIZE)
    with st.container(horizontal=True):
        for row in rows[:count]:
            with st.container(width=_PHOTO_WIDTH):
                _show_photo(row, paths, t)
    if len(rows) > count:
        st.button(
            t("show_more", count=len(rows) - count),
            on_click=st.session_state.__setitem__,
            args=(_SHOWN, count + _PAGE_SIZE),
        )


def _show_photo(row: dict[str, str], paths: ClassifierPaths, t: Translator) -> None:
    actual, predicted = t.species(row["actual"]), t.species(row["predicted"])
    thumbnail = load_thumbnail(paths, row["file"])
    if thumbnail is None:
        st.caption(t("photo_gone"))
    else:
        alternative = t("photo_alt", id=row["id"], actual=actual, predicted=predicted)
        st.image(thumbnail, width=_PHOTO_WIDTH, alt=alternative)
    label = actual if actual == predicted else f"{actual} → {predicted}"
    lines = [
        f"**{plain(label)}**",
        t("confidence_of", probability=t.percent(float(row["probability"]))),
        *credit_lines(row, t),
    ]
    st.caption("  \n".join(lines))
