"""Show many photos as a gallery or a table, with filter, sorting and download."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from panthera_vision.batch.detection_items import BLANK
from panthera_vision.inference.predictor import Predictor
from panthera_vision.ui.classification.decision import Decision
from panthera_vision.ui.classification.prediction_cache import (
    Classified,
    label_of,
    sort_uncertain_first,
    to_csv,
)
from panthera_vision.ui.i18n import Translator, plain

_CARD_WIDTH = 170
_PAGE_SIZE = 24
_OPENED = "opened"
_SHOWN = "photos shown"
_ANSWERS_OF_DETECTORS = (BLANK, "person", "vehicle")
_NOT_SPECIES = (
    *(Decision.UNSURE.value, Decision.NONE_OF_THESE.value, "unreadable"),
    *_ANSWERS_OF_DETECTORS,
)


def opened_photo(photos: Sequence[Classified]) -> Classified | None:
    """Return the photo that the visitor has opened, if any."""
    key = st.session_state.get(_OPENED)
    return next((photo for photo in photos if photo.key == key and photo.prediction), None)


def show_back_button(t: Translator) -> None:
    """Show the button from one photo back to all."""
    st.button(
        t("back_to_all"),
        icon=":material/arrow_back:",
        on_click=st.session_state.pop,
        args=(_OPENED, None),
    )


def show_gallery(
    photos: Sequence[Classified], predictor: Predictor, threshold: float, t: Translator
) -> None:
    """Show all photos with their predictions, and the table to download."""
    labels = {photo.key: label_of(photo, threshold) for photo in photos}
    counts = Counter(labels.values())
    chosen = st.multiselect(
        t("answers_shown"),
        [label for label, _ in counts.most_common()],
        format_func=lambda label: f"{_translate(label, t)} ({counts[label]})",
        placeholder=t("all_answers"),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = st.segmented_control(
            t("show_as"), ["gallery", "table"], default="gallery", format_func=t
        )
        uncertain_first = st.toggle(t("uncertain_first"))
        st.download_button(
            t("take_table"),
            to_csv(photos, predictor),
            "predictions.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
    kept = [photo for photo in photos if not chosen or labels[photo.key] in chosen]
    if uncertain_first:
        kept = sort_uncertain_first(kept)
    st.caption(t("photos_count", count=len(kept)))
    shown = {key: _translate(label, t) for key, label in labels.items()}
    (_show_table if view == "table" else _show_cards)(kept, shown, t)


def _translate(label: str, t: Translator) -> str:
    return t(f"{label}_short") if label in _NOT_SPECIES else t.species(label)


def _show_cards(photos: Sequence[Classified], labels: dict[str, str], t: Translator) -> None:
    shown = st.session_state.get(_SHOWN, _PAGE_SIZE)
    with st.container(horizontal=True):
        for photo in photos[:shown]:
            with st.container(width=_CARD_WIDTH, border=True):
                _show_card(photo, labels[photo.key], t)
    if len(photos) > shown:
        st.button(
            t("show_more", count=len(photos) - shown),
            on_click=st.session_state.__setitem__,
            args=(_SHOWN, shown + _PAGE_SIZE),
        )


def _show_card(photo: Classified, label: str, t: Translator) -> None:
    prediction = photo.prediction
    if photo.answer:
        show_detectors_answer(photo, t)
        return
    if prediction is None:
        st.error(t("unreadable", name=plain(photo.name), reason=t.reason(photo.reason)))
        return
    st.image(photo.thumbnail, width="stretch", alt=t("photo_alt", name=photo.name, answer=label))
    likeliest, share = t.species(prediction.species), t.probability(prediction.probability)
    if label == likeliest:
        below = share
    else:  # the probabilities assume one of the species: they would mislead under "none of these"
        below = "" if prediction.is_none_of_these else f"{likeliest}, {share}"
    st.markdown(f"**{label}**  \n{below}")
    if photo.note:
        st.caption(t("photo_note", name=plain(photo.name), note=t.reason(photo.note)))
    else:
        st.caption(plain(photo.name))
    st.button(
        t("open"),
        key=f"open {photo.key}",
        help=t("open_photo", name=plain(photo.name)),
        on_click=st.session_state.__setitem__,
        args=(_OPENED, photo.key),
    )


def show_detectors_answer(photo: Classified, t: Translator) -> None:
    """Show a photo that is not classified: a detector saw a person, a vehicle, or nothing."""
    label = _translate(photo.answer, t)
    st.image(photo.thumbnail, width="stretch", alt=t("photo_alt", name=photo.name, answer=label))
    st.markdown(f"**{label}**")
    st.caption(plain(photo.name))


def _show_table(photos: Sequence[Classified], labels: dict[str, str], t: Translator) -> None:
    predictions = [photo.prediction for photo in photos]
    # What a photo of none of the species would be otherwise is in the downloaded table.
    known = [p if p and not p.is_none_of_these else None for p in predictions]
    table = pd.DataFrame(
        {
            t("file"): [photo.name for photo in photos],
            t("answer"): [labels[photo.key] for photo in photos],
            t("probability"): [p.probability if p else None for p in known],
            t("scientific_name"): [p.species if p else "" for p in known],
        }
    )
    probability = st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
    st.dataframe(
        table, hide_index=True, width="stretch", column_config={t("probability"): probability}
    )
