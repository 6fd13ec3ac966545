"""Lay out the pages so that the answer is visible without scrolling."""

from contextlib import AbstractContextManager

import streamlit as st

# Streamlit's own padding takes an eighth of a laptop's window. A photo keeps its shape in the
# window's height.
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 3.75rem; }
[data-testid="stMainBlockContainer"] h1 { padding-top: 0; padding-bottom: 0.5rem; }
.st-key-photo [data-testid="stImage"] img {
  max-height: 60vh; object-fit: contain; object-position: left top;
}
</style>"""


def apply_page_style() -> None:
    """Move the page up, and fit a large photo into the window."""
    st.html(_STYLE)


def inputs_place(has_photo: bool) -> AbstractContextManager[object]:
    """Return where a page asks for photos: on the page, or beside the answer once there is one.

    A widget with a key keeps its value when it moves.
    """
    return st.sidebar if has_photo else st.container()
