"""Show the page "How good is it?": the evaluation on the test photos."""

import pandas as pd
import streamlit as st

from panthera_vision.data.photo_table import count_synthetic
from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.ui.classification import cache
from panthera_vision.ui.classification.confusion_view import show_confusions
from panthera_vision.ui.classification.model_choice import (
    pretrained_note,
    trained_model_answers,
)
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.report.quality_charts import coverage_chart, reliability_chart
from panthera_vision.ui.report.quality_figures import Quality, read_quality

_CARD_FILE = "MODEL_CARD.md"
_MOST_BYTES_OF_CARD = 200_000
_CARD_HEIGHT = 600


def show_quality_page(paths: ClassifierPaths, language: Language) -> None:
    """Show how good the model is, for people who want to rely on it."""
    t = Translator("quality", language)
    st.title(t("title"))
    try:
        quality = read_quality(paths.results)
    except UserError as problem:
        st.warning(t("no_results", problem=plain(str(problem))))
        st.header(t("what_to_run"))
        st.markdown(t("no_results_help"))
        if not paths.model.exists():
            _show_pretrained(paths, t)
        return
    if not trained_model_answers(paths):
        st.info(t("about_trained_model"))
    photos: pd.DataFrame | UserError
    try:
        photos = cache.load_photos(paths)
        if count_synthetic(photos):
            st.info(t("synthetic"))
    except UserError as problem:
        photos = problem
    _show_headline(quality, t)
    show_confusions(quality, photos, paths, t)
    _show_calibration(quality, t)
    _show_ood(quality, t)
    _show_species(quality, t)
    _show_model_card(paths, t)


def _show_pretrained(paths: ClassifierPaths, t: Translator) -> None:
    """Show what is known of the pretrained network, which answers before the first training."""
    try:
        st.info(pretrained_note(cache.load_pretrained(paths), t))
    except UserError as problem:
        st.caption(plain(str(problem)))


def _show_headline(quality: Quality, t: Translator) -> None:
    metrics, certainty = quality.metrics, quality.certainty
    interval = certainty.interval_95.accuracy
    right, low, high = (round(100 * x) for x in (metrics.accuracy, interval.low, interval.high))
    st.markdown(t("intro", count=len(quality.predictions), right=right, low=low, high=high))
    _show_elsewhere(quality, t)
    figures = (
        ("accuracy", metrics.accuracy, interval),
        ("macro_f1", metrics.macro_f1, certainty.interval_95.macro_f1),
        ("ece", certainty.calibrated.ece, None),
    )
    for column, (name, value, between) in zip(st.columns(3), figures, strict=True):
        write = t.number if name == "macro_f1" else t.percent
        with column.container(border=True, height="stretch"):
            st.metric(t(name), write(value))
            if between:
                st.caption(t("interval", low=write(between.low), high=write(between.high)))
            st.caption(t(f"{name}_help"))


def _show_elsewhere(quality: Quality, t: Translator) -> None:
    """Show the accuracy on photos of another source, and with the photos of encounters combined."""
    other, encounters = quality.other_source, quality.certainty.encounters
    if other.accuracy is None or other.interval_95 is None:
        st.caption(t("intro_limits"))
    else:
        between = other.interval_95.accuracy
        shares = {"accuracy": other.accuracy, "low": between.low, "high": between.high}
        percent = {name: t.percent(share) for name, share in shares.items()}
        text = t("other_source", count=other.photos, **percent)
        if other.refused is not None:
            text += " " + t("other_source_refused", share=t.percent(other.refused))
        st.markdown(text)
    if encounters and encounters.accuracy_per_encounter is not None:
        single = t.percent(encounters.accuracy_per_photo or 0.0)
        together = t.percent(encounters.accuracy_per_encounter)
        count = encounters.with_several_photos
        st.markdown(t("encounters", count=count, single=single, together=together))


def _show_calibration(quality: Quality, t: Translator) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.header(t("reliability"))
        st.markdown(t("reliability_help"))
        reliability_chart(quality.reliability(), t).show()
    with right:
        point = quality.certainty.selective
        st.header(t("risk"))
        st.markdown(t("risk_help"))
        coverage_chart(quality.accuracy_by_coverage(), point, t).show()
        if point:
            shares = {name: t.percent(value) for name, value in point.model_dump().items()}
            st.markdown(t("selective", **shares))


def _show_ood(quality: Quality, t: Translator) -> None:
    ood = quality.certainty.ood
    if ood is None:
        return
    st.header(t("none_of_these"))
    st.markdown(t("id_accepted", share=t.percent(ood.id_acceptance_rate)))
    if ood.other_photos is None or ood.ood_detection_rate is None or ood.auroc is None:
        st.markdown(t("not_measured"))
        return
    share, auroc = t.percent(ood.ood_detection_rate), t.number(ood.auroc)
    st.markdown(t("ood_detected", count=ood.other_photos, share=share, auroc=auroc))


def _show_species(quality: Quality, t: Translator) -> None:
    st.header(t("by_species"))
    st.markdown(t("by_species_help"))
    table = quality.score_by_species()
    shown = pd.DataFrame({t("species"): [plain(t.species(name)) for name in table["species"]]})
    for column in ("precision", "recall"):
        shown[t(column)] = [t.percent(share) for share in table[column]]
    shown[t("photos")] = table["photos"]
    st.table(shown, border="horizontal", hide_index=True, alt=t("by_species"))


def _show_model_card(paths: ClassifierPaths, t: Translator) -> None:
    try:
        with (paths.model.parent / _CARD_FILE).open("rb") as file:
            content = file.read(_MOST_BYTES_OF_CARD)
        card = content.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        st.warning(t("no_card"))
        return
    with st.expander(t("model_card")):
        st.download_button(t("take_card"), content, _CARD_FILE, "text/markdown", on_click="ignore")
        # Its tables are wider than a phone; a container with a height scrolls.
        st.container(height=_CARD_HEIGHT, border=False).markdown(card)
