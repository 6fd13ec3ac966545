"""Choose the page's language: from its address, or else from the browser; switchable."""

import streamlit as st

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n import LANGUAGES, Translator, choose_language


def select_language() -> Language:
    """Show the language switch in the sidebar, and keep the choice in the address."""
    browser = str(st.context.locale or "")
    st.session_state.setdefault("language", choose_language(st.query_params.get("lang"), browser))
    selected: Language = st.sidebar.radio(
        Translator("shared", st.session_state["language"])("language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key="language",
        horizontal=True,
    )
    if st.query_params.get("lang") != selected:  # also after a change of page, which clears it
        st.query_params["lang"] = selected
    return selected
