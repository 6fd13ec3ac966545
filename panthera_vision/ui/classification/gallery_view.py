"""Many photos: gallery or table, filtered and sorted, to look through and to take along."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.inference.predictor import Predictor
from panthera_vision.ui.i18n import CLASSIFICATION, plain, probability, text
from panthera_vision.ui.prediction_cache import Classified, as_csv, label_of, uncertain_first

_CARD_WIDTH = 170
_FIRST = 24
_OPENED = "opened"
_SHOWN = "photos shown"


def opened(photos: Sequence[Classified]) -> Classified | None:
    """The photo that the visitor has opened, if any."""
    key = st.session_state.get(_OPENED)
    return next((photo for photo in photos if photo.key == key and photo.answer), None)


def show_way_back(language: Language) -> None:
    """From one photo to all."""
    st.button(
        text(CLASSIFICATION, language, "back_to_all"),
        icon=":material/arrow_back:",
        on_click=st.session_state.pop,
        args=(_OPENED, None),
    )


def show_gallery(
    photos: Sequence[Classified],
    predictor: Predictor,
    least_probability: float,
    language: Language,
) -> None:
    """All photos with their answers, as pictures or as a table, and the table to download."""
    say = partial(text, CLASSIFICATION, language)
    labels = {photo.key: label_of(photo, least_probability) for photo in photos}
    counts = Counter(labels.values())
    chosen = st.multiselect(
        say("answers_shown"),
        [label for label, _ in counts.most_common()],
        format_func=lambda label: f"{_shown(label, language)} ({counts[label]})",
        placeholder=say("all_answers"),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        views = {"gallery": say("gallery"), "table": say("table")}
        view = st.segmented_control(
            say("show_as"), list(views), default="gallery", format_func=views.__getitem__
        )
        by_certainty = st.toggle(say("uncertain_first"))
        st.download_button(
            say("take_table"),
            as_csv(photos, predictor),
            "predictions.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
    kept = [photo for photo in photos if not chosen or labels[photo.key] in chosen]
    if by_certainty:
        kept = uncertain_first(kept)
    st.caption(say("photos_count", count=len(kept)))
    if view == "table":
        _show_table(kept, labels, language)
    else:
        _show_cards(kept, labels, language)


def _shown(label: str, language: Language) -> str:
    short = text(CLASSIFICATION, language, f"{label}_short")
    return common_name(label, language) if short == f"{label}_short" else short


def _show_cards(photos: Sequence[Classified], labels: dict[str, str], language: Language) -> None:
    say = partial(text, CLASSIFICATION, language)
    shown = st.session_state.get(_SHOWN, _FIRST)
    with st.container(horizontal=True):
        for photo in photos[:shown]:
            with st.container(width=_CARD_WIDTH, border=True):
                _show_card(photo, _shown(labels[photo.key], language), language)
    left = len(photos) - shown
    if left > 0:
        st.button(
            say("show_more", count=left),
            on_click=st.session_state.__setitem__,
            args=(_SHOWN, shown + _FIRST),
        )


def _show_card(photo: Classified, label: str, language: Language) -> None:
    say = partial(text, CLASSIFICATION, language)
    if photo.answer is None:
        st.error(say("unreadable", name=plain(photo.name), reason=say(photo.reason)))
        return
    st.image(photo.thumbnail, width="stretch", alt=say("photo_alt", name=photo.name, answer=label))
    # Beside "none of these" a probability would mislead: it presumes one of them.
    likeliest = common_name(photo.answer.species, language)
    share = probability(photo.answer.probability, language)
    told = "" if photo.answer.is_none_of_these else f"{likeliest}, {share}"
    st.markdown(f"**{label}**  \n{share if label == likeliest else told}")
    st.caption(plain(photo.name))
    st.button(
        say("open"),
        key=f"open {photo.key}",
        help=say("open_photo", name=plain(photo.name)),
        on_click=st.session_state.__setitem__,
        args=(_OPENED, photo.key),
    )


def _show_table(photos: Sequence[Classified], labels: dict[str, str], language: Language) -> None:
    say = partial(text, CLASSIFICATION, language)
    # Of photos of none of the species, what they would be else is left to the downloaded table.
    ours = [p.answer if p.answer and not p.answer.is_none_of_these else None for p in photos]
    table = pd.DataFrame(
        {
            say("file"): [photo.name for photo in photos],
            say("answer"): [_shown(labels[photo.key], language) for photo in photos],
            say("probability"): [a.probability if a else None for a in ours],
            say("scientific_name"): [a.species if a else "" for a in ours],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            say("probability"): st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1
            )
        },
    )
