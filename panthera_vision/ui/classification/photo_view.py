"""One photo: the answer at a glance, all probabilities, where the model looked, similar photos."""

from functools import partial
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from PIL import Image

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_path
from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.errors import UserError
from panthera_vision.explain.gradcam import grad_cam
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.prediction import Prediction
from panthera_vision.ui.captions import credit_lines, species_caption
from panthera_vision.ui.classification import cache
from panthera_vision.ui.decision import Verdict, certainty_words, verdict
from panthera_vision.ui.i18n import CLASSIFICATION, number, percent, plain, probability, text
from panthera_vision.ui.overlay import overlay
from panthera_vision.ui.uploads import take_upload

SIMILAR = 5
_BAR = "#0072B2"
_AXIS = alt.Axis(labelLimit=240, labelFontSize=13, ticks=False, domain=False)
_SIMILAR_WIDTH = 150


def show_photo(
    key: str,
    name: str,
    content: bytes,
    answer: Prediction,
    predictor: Predictor,
    least_probability: float,
    language: Language,
) -> None:
    """A photo with its answer.

    Args:
        key: tells the photo's switches from those of others.
        name: as the visitor calls it.
        content: the file, which was a picture before.
        answer: what the model says of it.
        predictor: the model.
        least_probability: from which a species is named.
        language: of the page.
    """
    say = partial(text, CLASSIFICATION, language)
    photo = take_upload(name, content).photo
    if photo is None:
        return
    # Above the photo, not beside it: on a phone columns lie below each other, and the answer is
    # what the visitor came for.
    headline = _show_verdict(answer, least_probability, language)
    picture, told = st.columns([2, 3], gap="medium")
    with told:
        _show_probabilities(answer, language)
        if answer.is_none_of_these:
            st.caption(say("probabilities_presume"))
    with picture:
        frame = st.empty()
        alternative = say("photo_alt", name=name, answer=headline)

        def show(image: Image.Image) -> None:
            frame.image(image, caption=plain(name), width="stretch", alt=alternative)

        show(photo)
        if st.toggle(say("attention"), key=f"attention {key}", help=say("attention_help")):
            strength = st.slider(
                say("attention_strength"),
                0,
                100,
                70,
                format=say("slider_percent"),
                key=f"strength {key}",
            )
            show(overlay(photo, grad_cam(predictor.model, photo), strength / 100))
    _show_similar(photo, key, predictor, language)


def _show_verdict(answer: Prediction, least_probability: float, language: Language) -> str:
    """The answer in a line and what stands behind it; gives that line."""
    say = partial(text, CLASSIFICATION, language)
    likeliest = common_name(answer.species, language)
    share = probability(answer.probability, language)
    decided = verdict(answer, least_probability)
    if decided is Verdict.NONE_OF_THESE:
        headline = say("none_of_these", count=len(answer.probabilities))
        st.header(headline)
        st.markdown(say("none_of_these_why", species=likeliest))
        return headline
    if decided is Verdict.UNSURE:
        headline = say("unsure")
        st.header(headline)
        threshold = percent(least_probability, language, digits=0)
        why = say("unsure_why", threshold=threshold, species=likeliest, probability=share)
        st.markdown(_with_runner_up(why, answer, language))
        return headline
    st.header(likeliest)
    how_sure = f"*{answer.species}* · {say(certainty_words(answer.probability))}, {share}"
    st.markdown(_with_runner_up(how_sure, answer, language))
    return f"{likeliest}, {share}"


def _with_runner_up(words: str, answer: Prediction, language: Language) -> str:
    """`words`, and what else it could be, where the model is unsure."""
    if certainty_words(answer.probability) != "rather_unsure" or not answer.runner_up:
        return words
    other = common_name(answer.runner_up, language)
    share = probability(answer.runner_up_probability, language)
    also = text(CLASSIFICATION, language, "runner_up", species=other, probability=share)
    return f"{words}  \n{also}"


def _show_probabilities(answer: Prediction, language: Language) -> None:
    say = partial(text, CLASSIFICATION, language)
    # The figures are part of the axis, whose words follow the theme.
    labels = [
        f"{common_name(name, language)} · {probability(share, language)}"
        for name, share in answer.probabilities.items()
    ]
    table = pd.DataFrame(
        {
            "label": labels,
            "scientific": list(answer.probabilities),
            "share": list(answer.probabilities.values()),
        }
    )
    bars = (
        alt.Chart(table)
        .mark_bar(color=_BAR, cornerRadiusEnd=3, height=18)
        .encode(
            y=alt.Y("label:N", sort=None, title=None, axis=_AXIS),
            x=alt.X("share:Q", scale=alt.Scale(domain=[0, 1]), axis=None),
            tooltip=[
                alt.Tooltip("label:N", title=say("probability")),
                alt.Tooltip("scientific:N", title=say("scientific_name")),
            ],
        )
    )
    st.markdown(f"**{say('probabilities')}**")
    st.altair_chart(
        bars.properties(height=34 * len(table)),
        width="stretch",
        alt=f"{say('probabilities')}: {'; '.join(labels)}",
    )


def _show_similar(photo: Image.Image, key: str, predictor: Predictor, language: Language) -> None:
    say = partial(text, CLASSIFICATION, language)
    st.header(say("similar_photos"), help=say("similar_help"))
    index = cache.index_of(predictor)
    if index is None:
        st.caption(say("no_similar"))
        return
    hits = index.search(index.embedder(predictor).embedding(photo), SIMILAR + 1)
    records = [(index.table.iloc[hit.row].to_dict(), hit.similarity) for hit in hits]
    # An example is a photo of the collection itself.
    others = [(row, near) for row, near in records if key != f"example {row['id']}"][:SIMILAR]
    with st.container(horizontal=True):
        for row, near in others:
            with st.container(width=_SIMILAR_WIDTH):
                _show_hit(row, near, language)


def _show_hit(row: dict[Any, str], similarity: float, language: Language) -> None:
    say = partial(text, CLASSIFICATION, language)
    species = common_name(row["species"], language)
    try:
        photo = read_photo(photo_path(row["file"], cache.INDEX, photo_folders(cache.SEARCH)))
        st.image(photo, width=_SIMILAR_WIDTH, alt=species)
    except (PhotoError, UserError):
        st.caption(say("photo_gone"))
    lines = [
        species_caption(row["species"], language),
        say("similarity", value=number(similarity, language)),
        *credit_lines(row, CLASSIFICATION, language),
    ]
    st.caption("  \n".join(lines))
