"""Keep one reviewer's place in the queue, and save and undo decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from panthera_vision.data.corrections import (
    WITHDRAWN,
    Correction,
    append_corrections,
    current_verdicts,
    decisions_by_photo,
    now,
    read_corrections,
)
from panthera_vision.data.review_queue import ReviewItem, is_decided
from panthera_vision.errors import UserError

_AT = "review at"  # key of the photo that is shown
_PROBLEM = "review problem"
_REVIEWER = "reviewer"


def reviewer() -> str:
    """Return the name that the reviewer gave, or ""."""
    return str(st.session_state.get(_REVIEWER, "")).strip()


def ask_for_reviewer(label: str, help: str) -> None:
    """Ask in the sidebar who reviews; the answer lasts for the session."""
    st.session_state[_REVIEWER] = st.session_state.get(_REVIEWER, "")  # outlasts other pages
    st.sidebar.text_input(label, key=_REVIEWER, help=help, max_chars=60)


def take_problem() -> str:
    """Return why the last decision could not be saved, once; "" if it was."""
    return str(st.session_state.pop(_PROBLEM, ""))


@st.cache_data(max_entries=2, show_spinner=False)
def _read(path: Path, modified: int) -> list[Correction]:
    return read_corrections(path)


def load_corrections(path: Path) -> list[Correction]:
    """Read the decisions of all reviewers; read again only when the file has changed.

    Raises:
        UserError: a line is invalid.
    """
    return _read(path, path.stat().st_mtime_ns if path.exists() else 0)


@dataclass(frozen=True)
class ReviewSession:
    """Go through `items` and decide; `path` is corrections.csv."""

    path: Path
    items: Sequence[ReviewItem]
    corrections: Sequence[Correction]

    @property
    def undecided(self) -> list[ReviewItem]:
        """Return the photos that nobody has decided about."""
        verdicts = current_verdicts(self.corrections)
        return [item for item in self.items if not is_decided(item, verdicts)]

    @property
    def current(self) -> ReviewItem | None:
        """Return the photo to show: the one that was chosen, or the first undecided one."""
        at = st.session_state.get(_AT)
        undecided = self.undecided
        chosen = (item for item in undecided if item.key == at)
        return next(chosen, undecided[0] if undecided else None)

    def upcoming(self, count: int) -> list[ReviewItem]:
        """Return the undecided photos that follow the current one."""
        undecided, current = self.undecided, self.current
        start = undecided.index(current) + 1 if current else 0
        return undecided[start : start + count]

    def decide(self, item: ReviewItem, verdict: str, **words: str) -> None:
        """Save a decision, and go on to the next photo."""
        following = self.upcoming(1)
        names = {"id": item.photo.id, "sha256": item.photo.sha256}
        decision = Correction(**names, verdict=verdict, reviewer=reviewer(), time=now(), **words)
        if self._save(decision):
            st.session_state[_AT] = following[0].key if following else None

    def move(self, steps: int) -> None:
        """Go to another undecided photo without a decision."""
        undecided, current = self.undecided, self.current
        if current:
            place = (undecided.index(current) + steps) % len(undecided)
            st.session_state[_AT] = undecided[place].key

    def last_decision(self) -> Correction | None:
        """Return this reviewer's last decision that counts, also of an earlier session."""
        counting = {
            id(decision)
            for decisions in decisions_by_photo(self.corrections).values()
            for decision in decisions[-1:]
        }
        mine = (
            decision
            for decision in reversed(self.corrections)
            if id(decision) in counting and decision.reviewer == reviewer()
        )
        return next(mine, None)

    def undo(self) -> None:
        """Withdraw this reviewer's last decision, and show its photo again."""
        last = self.last_decision()
        if last is None:
            return
        names = {"id": last.id, "sha256": last.sha256}
        if self._save(Correction(**names, verdict=WITHDRAWN, reviewer=reviewer(), time=now())):
            st.session_state[_AT] = str(last.photo)

    def _save(self, decision: Correction) -> bool:
        try:
            append_corrections(self.path, [decision])
        except UserError as problem:
            st.session_state[_PROBLEM] = str(problem)
            return False
        except OSError as problem:
            st.session_state[_PROBLEM] = problem.strerror or str(problem)
            return False
        return True
