"""The page "How good is it?": what was measured on the test photos."""

from functools import partial

import pandas as pd
import streamlit as st

from panthera_vision.data.photo_table import count_synthetic
from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.errors import UserError
from panthera_vision.ui.classification import cache
from panthera_vision.ui.classification.confusion_view import show_confusions
from panthera_vision.ui.i18n import QUALITY, number, percent, plain, text
from panthera_vision.ui.report.accessible_chart import DescribedChart
from panthera_vision.ui.report.quality_charts import coverage_chart, reliability_chart
from panthera_vision.ui.report.quality_figures import (
    Quality,
    accuracy_by_coverage,
    by_species,
    read_quality,
    reliability,
)

_CARD_FILE = "MODEL_CARD.md"
_MOST_BYTES_OF_CARD = 200_000
_CARD_HEIGHT = 600


def show_quality(language: Language) -> None:
    """How good the model is, for people who want to rely on it."""
    say = partial(text, QUALITY, language)
    st.title(say("title"))
    try:
        quality = read_quality(cache.RESULTS)
    except UserError as problem:
        st.warning(say("no_results", problem=plain(str(problem))))
        st.header(say("what_to_run"))
        st.markdown(say("no_results_help"))
        return
    try:
        photos, problem_with_photos = cache.photos(), ""
    except UserError as problem:
        photos, problem_with_photos = None, str(problem)
    if photos is not None and count_synthetic(photos):
        st.info(say("synthetic"))
    _show_headline(quality, language)
    show_confusions(quality, photos, problem_with_photos, language)
    _show_certainty(quality, language)
    _show_ood(quality, language)
    _show_species(quality, language)
    _show_model_card(language)


def _show_headline(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    metrics, certainty = quality.metrics, quality.certainty
    interval = certainty.interval_95.accuracy
    st.markdown(
        say(
            "intro",
            count=len(quality.predictions),
            right=round(100 * metrics.accuracy),
            low=round(100 * interval.low),
            high=round(100 * interval.high),
        )
    )
    st.caption(say("intro_limits"))
    figures = (
        ("accuracy", metrics.accuracy, interval),
        ("macro_f1", metrics.macro_f1, certainty.interval_95.macro_f1),
        ("ece", certainty.calibrated.ece, None),
    )
    for column, (name, value, between) in zip(st.columns(3), figures, strict=True):
        write = number if name == "macro_f1" else percent
        with column.container(border=True, height="stretch"):
            st.metric(say(name), write(value, language))
            if between:
                low, high = write(between.low, language), write(between.high, language)
                st.caption(say("interval", low=low, high=high))
            st.caption(say(f"{name}_help"))


def _show_certainty(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    left, right = st.columns(2, gap="large")
    with left:
        st.header(say("reliability"))
        st.markdown(say("reliability_help"))
        _draw(reliability_chart(reliability(quality), language))
    with right:
        point = quality.certainty.selective
        st.header(say("risk"))
        st.markdown(say("risk_help"))
        _draw(coverage_chart(accuracy_by_coverage(quality), point, language))
        if point:
            st.markdown(
                say(
                    "selective",
                    threshold=percent(point.threshold, language),
                    accuracy=percent(point.accuracy, language),
                    coverage=percent(point.coverage, language),
                )
            )


def _draw(described: DescribedChart) -> None:
    st.altair_chart(described.chart, width="stretch", alt=described.words)


def _show_ood(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    found = quality.certainty.ood
    if found is None:
        return
    st.header(say("none_of_these"))
    st.markdown(say("kept", share=percent(found.id_acceptance_rate, language)))
    if found.other_photos is None or found.ood_detection_rate is None or found.auroc is None:
        st.markdown(say("not_measured"))
        return
    st.markdown(
        say(
            "told",
            count=found.other_photos,
            share=percent(found.ood_detection_rate, language),
            auroc=number(found.auroc, language),
        )
    )


def _show_species(quality: Quality, language: Language) -> None:
    say = partial(text, QUALITY, language)
    st.header(say("by_species"))
    st.markdown(say("by_species_help"))
    table = by_species(quality)
    names = [plain(common_name(name, language)) for name in table["species"]]
    shown = pd.DataFrame({say("species"): names})
    for column in ("precision", "recall"):
        shown[say(column)] = [percent(share, language) for share in table[column]]
    shown[say("photos")] = table["photos"]
    st.table(shown, border="horizontal", hide_index=True, alt=say("by_species"))


def _show_model_card(language: Language) -> None:
    say = partial(text, QUALITY, language)
    try:
        with (cache.MODEL.parent / _CARD_FILE).open("rb") as file:
            content = file.read(_MOST_BYTES_OF_CARD)
        card = content.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        st.warning(say("no_card"))
        return
    with st.expander(say("model_card")):
        st.download_button(
            say("take_card"), content, _CARD_FILE, "text/markdown", on_click="ignore"
        )
        # Its tables are wider than a telephone; a container with a height scrolls.
        st.container(height=_CARD_HEIGHT, border=False).markdown(card)
