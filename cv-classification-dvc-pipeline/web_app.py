"""Which species is on the photo? `streamlit run web_app.py`"""

from functools import partial

import streamlit as st
from classifier_pages.classify_page import show_classification

from panthera_vision.apps.language import language_choice
from panthera_vision.apps.texts import CLASSIFICATION, text


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
        ]
    )
    page.run()


main()
