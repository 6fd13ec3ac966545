"""Show the page that classifies photos."""

from functools import partial

import streamlit as st

from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError, list_names
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.pretrained import is_pretrained
from panthera_vision.ui.classification import cache
from panthera_vision.ui.classification.detections import with_boxes
from panthera_vision.ui.classification.gallery_view import (
    opened_photo,
    show_back_button,
    show_detectors_answer,
    show_gallery,
)
from panthera_vision.ui.classification.model_choice import (
    load_answering_model,
    show_model_notes,
)
from panthera_vision.ui.classification.photo_view import PhotoView
from panthera_vision.ui.classification.prediction_cache import Classified, PhotoFile, classify
from panthera_vision.ui.classification.threshold import current_threshold
from panthera_vision.ui.classification.upload_view import (
    ask_for_photos,
    has_photos,
    show_start_again_button,
)
from panthera_vision.ui.detections import ask_for_detections
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.layout import scroll_to_top_on_change, show_title
from panthera_vision.ui.paths import ClassifierPaths

_PREDICTIONS = "predictions"


def show_classify_page(paths: ClassifierPaths, language: Language) -> None:
    """Show the uploads and their predictions."""
    t = Translator("classification", language)
    header = show_title(t("title"))
    try:
        predictor = load_answering_model(paths)
    except UserError as problem:
        st.warning(t("no_model", problem=problem))
        st.header(t("what_to_run"))
        st.markdown(t("no_model_help"))
        return
    threshold = current_threshold()
    notes = partial(show_model_notes, predictor, paths, t)
    if not has_photos():
        notes()
        st.markdown(t("intro"))
    files = ask_for_photos(paths, t)
    if files:
        with st.sidebar:
            files = _apply_detections(files, t)
    _show_model_note(predictor, t)
    if not files:
        scroll_to_top_on_change("")
        return
    with header:
        show_start_again_button(t)
    photos = _classify(files, predictor, t)
    shown = photos[0] if len(photos) == 1 else opened_photo(photos)
    scroll_to_top_on_change(shown.key if shown else "gallery")
    if shown is None:
        notes()
        show_gallery(photos, predictor, threshold, t)
        return
    if len(photos) > 1:
        show_back_button(t)
    if shown.answer:
        show_detectors_answer(shown, t)
        return
    if shown.prediction is None:
        st.error(t("unreadable", name=plain(shown.name), reason=t.reason(shown.reason)))
        return
    if shown.note:
        st.info(t("photo_note", name=plain(shown.name), note=t.reason(shown.note)))
    content = next(file for file in files if file.key == shown.key).read()
    searcher = cache.find_searcher(paths, predictor)
    PhotoView(predictor, searcher, paths, t).show(shown, content, threshold, notes)


def _apply_detections(files: list[PhotoFile], t: Translator) -> list[PhotoFile]:
    """Ask for a detector's file; return the boxes in place of the photos where there is one."""
    detections = ask_for_detections(t)
    if detections is None or detections.source is None:
        return files
    boxes, without = with_boxes(files, detections.source)
    if without:
        names = plain(list_names(without, most=3))
        st.warning(t("detections_without", count=len(without), names=names))
    return boxes


def _classify(files: list[PhotoFile], predictor: Predictor, t: Translator) -> list[Classified]:
    """Classify the visitor's photos; the results stay in the visitor's own session."""
    fingerprint, cached = st.session_state.get(_PREDICTIONS, ("", {}))
    if fingerprint != predictor.model.fingerprint:
        cached = {}
    st.session_state[_PREDICTIONS] = (predictor.model.fingerprint, cached)
    bar = st.progress(0.0) if sum(file.key not in cached for file in files) > 1 else None

    def show_progress(done: int) -> None:
        if bar:
            bar.progress(done / len(files), t("classifying", done=done, count=len(files)))

    photos = classify(files, predictor, cached, show_progress)
    if bar:
        bar.empty()
    return photos


def _show_model_note(predictor: Predictor, t: Translator) -> None:
    model = predictor.model
    accuracy = model.training.get("validation_accuracy")
    with st.sidebar.expander(t("about")):
        if is_pretrained(model):
            st.markdown(
                t("about_pretrained", backbone=model.backbone.name, fingerprint=model.fingerprint)
            )
            return
        st.markdown(
            t(
                "about_text",
                backbone=model.backbone.name,
                species=len(model.class_names),
                accuracy="—" if accuracy is None else t.percent(accuracy),
                fingerprint=model.fingerprint[:12],
            )
        )
