"""Which species is on the photo? `streamlit run web_app.py`"""

from functools import partial

import streamlit as st

from panthera_vision.ui.classification.classify_page import show_classification
from panthera_vision.ui.classification.data_page import show_data
from panthera_vision.ui.classification.quality_page import show_quality
from panthera_vision.ui.i18n import CLASSIFICATION, text
from panthera_vision.ui.language import language_choice


def main() -> None:
    st.set_page_config(page_title="Panthera Vision", page_icon="🐆", layout="wide")
    language = language_choice(st, CLASSIFICATION)
    say = partial(text, CLASSIFICATION, language)
    page = st.navigation(
        [
            st.Page(
                partial(show_classification, language),
                title=say("page_classify"),
                icon=":material/photo_camera:",
                url_path="classify",
                default=True,
            ),
            st.Page(
                partial(show_quality, language),
                title=say("page_quality"),
                icon=":material/verified:",
                url_path="quality",
            ),
            st.Page(
                partial(show_data, language),
                title=say("page_data"),
                icon=":material/database:",
                url_path="data",
            ),
        ]
    )
    page.run()


main()
