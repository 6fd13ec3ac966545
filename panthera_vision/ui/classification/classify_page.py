"""The page that classifies photos."""

from functools import partial

import streamlit as st

from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.ui.classification import cache
from panthera_vision.ui.classification.gallery_view import opened, show_gallery, show_way_back
from panthera_vision.ui.classification.photo_view import show_photo
from panthera_vision.ui.classification.upload_view import ask_for_photos
from panthera_vision.ui.i18n import CLASSIFICATION, percent, plain, text
from panthera_vision.ui.prediction_cache import Classified, Given, classify

_ANSWERS = "answers"
_THRESHOLD = "threshold"
_THRESHOLD_KEPT = "threshold kept"
_HIGHEST_THRESHOLD = 99
_DEFAULT_THRESHOLD = 50


def show_classification(language: Language) -> None:
    """Photos in, answers out."""
    say = partial(text, CLASSIFICATION, language)
    st.title(say("title"))
    try:
        predictor = cache.predictor()
    except UserError as problem:
        st.warning(say("no_model", problem=problem))
        st.header(say("what_to_run"))
        st.markdown(say("no_model_help"))
        return
    if predictor.model.training.get("synthetic_photos"):
        st.info(say("synthetic"))
    st.markdown(say("intro"))
    least_probability = _ask_for_threshold(language)
    _show_model_note(predictor, language)
    given = ask_for_photos(language)
    if not given:
        return
    photos = _answers(given, predictor, language)
    shown = photos[0] if len(photos) == 1 else opened(photos)
    if shown is None:
        show_gallery(photos, predictor, least_probability, language)
        return
    if len(photos) > 1:
        show_way_back(language)
    if shown.answer is None:
        st.error(say("unreadable", name=plain(shown.name), reason=say(shown.reason)))
        return
    content = next(file for file in given if file.key == shown.key).read()
    show_photo(shown.key, shown.name, content, shown.answer, predictor, least_probability, language)


def _answers(given: list[Given], predictor: Predictor, language: Language) -> list[Classified]:
    """The visitor's photos with their answers, which stay in the visitor's own session."""
    say = partial(text, CLASSIFICATION, language)
    fingerprint, known = st.session_state.get(_ANSWERS, ("", {}))
    if fingerprint != predictor.model.fingerprint:
        known = {}
    st.session_state[_ANSWERS] = (predictor.model.fingerprint, known)
    bar = st.progress(0.0) if sum(file.key not in known for file in given) > 1 else None

    def progress(done: int) -> None:
        if bar:
            bar.progress(done / len(given), say("classifying", done=done, count=len(given)))

    photos = classify(given, predictor, known, progress)
    if bar:
        bar.empty()
    return photos


def _ask_for_threshold(language: Language) -> float:
    say = partial(text, CLASSIFICATION, language)
    found = cache.sure_threshold()
    if _THRESHOLD not in st.session_state:  # Streamlit forgets it when the page is left
        st.session_state[_THRESHOLD] = st.session_state.get(_THRESHOLD_KEPT, _DEFAULT_THRESHOLD)
    threshold: int = st.sidebar.slider(
        say("threshold"), 0, _HIGHEST_THRESHOLD, format=say("slider_percent"), key=_THRESHOLD
    )
    st.session_state[_THRESHOLD_KEPT] = threshold
    if found:
        accuracy, least, coverage = (percent(share, language) for share in found)
        st.sidebar.caption(
            say("threshold_advice", accuracy=accuracy, threshold=least, coverage=coverage)
        )
    return threshold / 100


def _show_model_note(predictor: Predictor, language: Language) -> None:
    say = partial(text, CLASSIFICATION, language)
    model = predictor.model
    accuracy = model.training.get("validation_accuracy")
    with st.sidebar.expander(say("about")):
        st.markdown(
            say(
                "about_text",
                backbone=model.backbone,
                species=len(model.class_names),
                accuracy="—" if accuracy is None else percent(accuracy, language),
                fingerprint=model.fingerprint[:12],
            )
        )
