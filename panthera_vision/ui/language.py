"""The page's language: from its address, else from the browser; switchable."""

from collections.abc import Mapping
from typing import Any

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n import LANGUAGES, choose_language, text


def language_choice(page: Any, texts: Mapping[str, Mapping[Language, str]]) -> Language:
    """Show the switch in the sidebar and keep the choice in the address.

    Args:
        page: the `streamlit` module, handed in so that the package needs no Streamlit.
        texts: the app's texts.
    """
    chosen = choose_language(page.query_params.get("lang"), page.context.locale)
    page.session_state.setdefault("language", chosen)
    picked: Language = page.sidebar.radio(
        text(texts, page.session_state["language"], "language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key="language",
        horizontal=True,
    )
    if page.query_params.get("lang") != picked:  # also after a change of page, which clears it
        page.query_params["lang"] = picked
    return picked
