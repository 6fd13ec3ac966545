"""Lay out the pages so that the answer is visible without scrolling."""

from contextlib import AbstractContextManager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

# Streamlit's own padding takes an eighth of a laptop's window. A photo keeps its shape in the
# window's height.
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 3.75rem; }
[data-testid="stMainBlockContainer"] h1 { padding-top: 0; padding-bottom: 0.5rem; }
.st-key-photo [data-testid="stImage"] img {
  max-height: 60vh; object-fit: contain; object-position: left top;
}
/* A script takes no room. */
[data-testid="stElementContainer"]:has([data-testid="stHtml"] > script:only-child) {
  display: none;
}
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] h1 { font-size: 1.75rem; }
}
</style>"""

_SCROLL = """<script>
document.querySelector('[data-testid="stMain"]').scrollTo(0, 0); // {count}
</script>"""
_SHOWN = "shown"


def apply_page_style() -> None:
    """Move the page up, and fit a large photo into the window."""
    st.html(_STYLE)


def show_title(title: str) -> DeltaGenerator:
    """Show the page's title; return the place beside it."""
    header = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    )
    header.title(title, width="content")
    return header


def scroll_to_top_on_change(shown: str) -> None:
    """Scroll to the top whenever `shown`, which names what the page shows, is another than before.

    Else the page stays where the visitor clicked, far below the answer.
    """
    known, count = st.session_state.get(_SHOWN, ("", 0))
    if known != shown:
        count += 1
        st.session_state[_SHOWN] = (shown, count)
    # The browser runs it once for each count.
    st.html(_SCROLL.format(count=count), unsafe_allow_javascript=True)


def inputs_place(has_photo: bool) -> AbstractContextManager[object]:
    """Return where a page asks for photos: on the page, or beside the answer once there is one.

    A widget with a key keeps its value when it moves.
    """
    return st.sidebar if has_photo else st.container()
