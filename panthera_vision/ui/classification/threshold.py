"""Ask for the confidence threshold, and keep it while the visitor is on other pages.

The entry script draws the slider, not the page: with the request for another page, the browser
sends the values of the entry script's widgets only, and that request replaces an earlier one that
still waits. A callback keeps the value, and each visit of the page gets a slider of its own with
the kept value as its default: the browser forgets the value of a slider that is gone, sometimes
after the server was told of it, and `persist_state` would then leave the two with different values.
"""

import streamlit as st

from panthera_vision.ui.classification import cache
from panthera_vision.ui.classification.model_choice import trained_model_answers
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.paths import ClassifierPaths

_THRESHOLD = "threshold"
_VISIT = "visit of the threshold slider"
_HIGHEST = 99
_DEFAULT = 50


def current_threshold() -> float:
    """Return the confidence from which a species is named, from 0 to 1."""
    return int(st.session_state.get(_THRESHOLD, _DEFAULT)) / 100


def ask_for_threshold(paths: ClassifierPaths, t: Translator) -> None:
    """Show the slider in the sidebar, and the threshold that the evaluation recommends."""
    key = f"{_THRESHOLD} {st.session_state.get(_VISIT, 0)}"
    st.sidebar.slider(
        t("threshold"),
        0,
        _HIGHEST,
        st.session_state.get(_THRESHOLD, _DEFAULT),
        format=t("slider_percent"),
        key=key,
        on_change=_keep,
        args=(key,),
    )
    found = cache.find_selective(paths) if trained_model_answers(paths) else None
    if found:
        shares = {name: t.percent(value) for name, value in found.model_dump().items()}
        st.sidebar.caption(t("threshold_advice", **shares))


def renew_threshold_slider() -> None:
    """Let the next visit of the page have a new slider; to be called on the other pages."""
    st.session_state[_VISIT] = st.session_state.get(_VISIT, 0) + 1


def _keep(key: str) -> None:
    st.session_state[_THRESHOLD] = st.session_state[key]
