"""Run the classification app: which species is in the photo, how good is the answer, and why."""

from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

import streamlit as st

from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.inference.process_setup import configure_process
from panthera_vision.ui.classification.model_choice import ask_for_model, load_answering_model
from panthera_vision.ui.classification.threshold import ask_for_threshold, renew_threshold_slider
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.review.access import is_review_allowed

# URL path → module and icon; the first is the default. The last one writes, and must be allowed.
_PAGES = {
    "classify": ("panthera_vision.ui.classification.classify_page", ":material/photo_camera:"),
    "quality": ("panthera_vision.ui.classification.quality_page", ":material/verified:"),
    "data": ("panthera_vision.ui.classification.data_page", ":material/database:"),
    "review": ("panthera_vision.ui.review.page", ":material/rate_review:"),
}


def load(pipeline: Path) -> None:
    """Load the model for all visitors; the pages say what is wrong with it."""
    configure_process()
    with suppress(UserError):
        load_answering_model(ClassifierPaths(pipeline))
    import_module(_PAGES["classify"][0])


def _show_page(name: str, paths: ClassifierPaths, language: Language) -> None:
    """Import a page when it is opened: what it draws with takes seconds to import."""
    module = import_module(_PAGES[name][0])
    getattr(module, f"show_{name}_page")(paths, language)


def main(pipeline: Path, language: Language) -> None:
    """Show the pages on the model and the results of the pipeline in the folder `pipeline`."""
    paths = ClassifierPaths(pipeline)
    t = Translator("classification", language)
    pages = [
        st.Page(
            partial(_show_page, name, paths, language),
            title=t(f"page_{name}"),
            icon=icon,
            url_path=name,
            default=name == "classify",
        )
        for name, (_, icon) in _PAGES.items()
        if name != "review" or is_review_allowed()
    ]
    current = st.navigation(pages)
    ask_for_model(paths, t)
    if current is pages[0]:
        ask_for_threshold(paths, t)
    else:
        renew_threshold_slider()
    current.run()
