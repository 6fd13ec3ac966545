"""Show the buttons of the decisions, each with a key."""

from collections.abc import Sequence

import streamlit as st

from panthera_vision.data.corrections import CORRECT, DUPLICATE, SPECIES, UNUSABLE
from panthera_vision.data.review_queue import ReviewItem
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.review.session import ReviewSession

_DIGITS = 9  # keys for species
# Reason of an unusable photo → its key. Streamlit keeps C and R for itself.
REASON_KEYS = {
    "drawing": "W",
    "no animal": "N",
    "dead": "X",
    "captive": "Z",
    "several species": "M",
}
# Photo and decisions fit into the window, on a phone, too.
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4rem; }
[data-testid="stMainBlockContainer"] h1 { font-size: 1.75rem; padding: 0; }
.st-key-photo img { height: min(36vh, 26rem); object-fit: contain; background: #8881; }
.st-key-verdicts button { min-height: 2.2rem; padding: 0.1rem 0.5rem; }
@media (max-width: 640px) {
  .st-key-photo img { height: 30vh; }
}
</style>"""


def show_verdicts(
    session: ReviewSession, item: ReviewItem, species: Sequence[str], t: Translator
) -> None:
    """Show all decisions about `item`, and the ways to other photos."""
    with st.container(key="verdicts", gap="xsmall"):
        with st.container(horizontal=True, gap="xsmall"):
            _show_species(session, item, species, t)
        with st.container(horizontal=True, gap="xsmall"):
            for reason, key in REASON_KEYS.items():
                st.button(
                    t(f"reason_{reason.replace(' ', '_')}"),
                    key=f"unusable {reason}",
                    on_click=session.decide,
                    args=(item, UNUSABLE),
                    kwargs={"reason": reason},
                    shortcut=key,
                )
            if item.duplicate_of:
                st.button(
                    t("duplicate", id=plain(item.duplicate_of)),
                    key="duplicate",
                    on_click=session.decide,
                    args=(item, DUPLICATE),
                    kwargs={"duplicate_of": item.duplicate_of},
                    shortcut="D",
                )
        with st.container(horizontal=True, gap="xsmall"):
            _show_ways(session, t)


def _show_species(
    session: ReviewSession, item: ReviewItem, species: Sequence[str], t: Translator
) -> None:
    if item.species:
        st.button(
            t("correct"),
            key="correct",
            on_click=session.decide,
            args=(item, CORRECT),
            shortcut="0",
        )
    for number, name in enumerate(species, 1):
        is_label = name == item.species
        st.button(
            plain(t.species(name)),
            key=f"species {name}",
            on_click=session.decide,
            args=(item, CORRECT if is_label else SPECIES),
            kwargs={} if is_label else {"species": name},
            shortcut=str(number) if number <= _DIGITS else None,
        )


def _show_ways(session: ReviewSession, t: Translator) -> None:
    for name, key, steps, icon in (
        ("previous", "Left", -1, ":material/arrow_back:"),
        ("next", "Right", 1, ":material/arrow_forward:"),
    ):
        st.button(t(name), key=name, on_click=session.move, args=(steps,), shortcut=key, icon=icon)
    st.button(
        t("undo"),
        key="undo",
        on_click=session.undo,
        shortcut="U",
        icon=":material/undo:",
        disabled=session.last_decision() is None,
    )
