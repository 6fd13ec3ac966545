"""Open an app: say at once that it is being loaded, then import and load what takes time."""

import gc
import importlib
from pathlib import Path
from typing import Literal

import streamlit as st
from streamlit import runtime

from panthera_vision.inference.garbage_collection import collect_less_often
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.language import select_language
from panthera_vision.ui.layout import apply_page_style

_APPS = {
    "classification": "panthera_vision.ui.classification.app",
    "search": "panthera_vision.ui.search.app",
}
_loaded: set[str] = set()  # apps whose first visitor has the model, in this process


def require_streamlit() -> None:
    """Exit with one line if the app was started by `python web_app.py`, which shows no page."""
    if not runtime.exists():
        raise SystemExit("error: start the app with: streamlit run web_app.py")


def open_app(name: Literal["classification", "search"], pipeline: Path) -> None:
    """Run an app on the pipeline in the folder `pipeline`.

    The module of the app imports PyTorch, which takes seconds: until it is imported and has loaded
    the model, the page has its language switch and a line that says so.
    """
    require_streamlit()
    st.set_page_config(page_title="Panthera Vision", page_icon="🐆", layout="wide")
    apply_page_style()
    language = select_language()
    notice = st.empty()
    if name not in _loaded:
        collect_less_often()
        notice.info(Translator("shared", language)("loading"), icon=":material/hourglass:")
    app = importlib.import_module(_APPS[name])
    if name not in _loaded:
        app.load(pipeline)
        # Streamlit collects garbage after every run of the script. What is loaded now stays, and
        # going through it each time would take longer than an answer.
        gc.collect()
        gc.freeze()
        _loaded.add(name)
    notice.empty()
    app.main(pipeline, language)
