"""Decide what each photo of a package shows, from its observations."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from sys import intern

from panthera_vision.data.taxonomy import species_of

NO_LABEL = "no observation"
ONLY_MACHINE = "classified only by a machine (review it and set classificationMethod to human)"
SEVERAL_SPECIES = "several species on one photo"
WITH_PEOPLE = "an animal and people or vehicles on one photo"
NO_NAME = "an animal without a scientific name"
CAMERA_SETUP = "camera setup"
_NO_ANIMALS = ("blank", "human", "vehicle", "unknown", "unclassified")


@dataclass(frozen=True)
class PhotoLabel:
    """Hold the scientific name of the animal on a photo, or the reason why there is none.

    Attributes:
        name: as the observation has it; "" with a reason.
        reason: why the photo can't be used as an example of a species, or "".
        is_of_event: the observation is of an event, a sequence of photos, not of this photo.
    """

    name: str
    reason: str = ""
    is_of_event: bool = False


@dataclass
class _Events:
    """Hold the events of one deployment: start, end and what was seen, sorted by start."""

    events: list[tuple[float, float, str]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    latest_ends: list[float] = field(default_factory=list)

    def sort(self) -> None:
        self.events.sort()
        self.starts = [start for start, _, _ in self.events]
        self.latest_ends = list(accumulate((end for _, end, _ in self.events), max))

    def at(self, time: float) -> set[str]:
        found = set()
        for place in range(bisect_right(self.starts, time) - 1, -1, -1):
            if self.latest_ends[place] < time:
                break
            if self.events[place][1] >= time:
                found.add(self.events[place][2])
        return found


class PhotoLabels:
    """Index the observations of a package by photo, and by deployment and time.

    What a person saw counts before what a machine saw, and an observation of the photo before one
    of its event. Memory: about 100 bytes for each observation.

    Args:
        observations: rows of the table; None for one of the wrong length.
    """

    def __init__(self, observations: Iterable[dict[str, str] | None]) -> None:
        self.damaged = 0
        self._by_photo: dict[str, str] = {}
        self._events: dict[str, _Events] = defaultdict(_Events)
        self._machine_photos: set[str] = set()
        self._machine_events: dict[str, _Events] = defaultdict(_Events)
        for row in observations:
            if row is None:
                self.damaged += 1
            else:
                self._add(row)
        for events in (*self._events.values(), *self._machine_events.values()):
            events.sort()

    def _add(self, row: dict[str, str]) -> None:
        by_machine = row.get("classificationMethod", "").lower() == "machine"
        seen = intern(_seen(row))
        photo = row.get("mediaID", "")
        if photo:
            if by_machine:
                self._machine_photos.add(photo)
            else:
                earlier = self._by_photo.get(photo)
                both = "\n".join(sorted({*earlier.split("\n"), seen})) if earlier else seen
                self._by_photo[photo] = intern(both)
            return
        start, end = parse_time(row.get("eventStart", "")), parse_time(row.get("eventEnd", ""))
        if start is None:
            self.damaged += 1
            return
        events = self._machine_events if by_machine else self._events
        events[row.get("deploymentID", "")].events.append((start, max(start, end or start), seen))

    def of(self, photo: str, deployment: str, timestamp: str) -> PhotoLabel:
        """Return the label of a photo, given its mediaID, deploymentID and timestamp."""
        if photo in self._by_photo:
            return _label(self._by_photo[photo], is_of_event=False)
        time = parse_time(timestamp)
        if seen := _at(self._events, deployment, time):
            return _label("\n".join(sorted(seen)), is_of_event=True)
        if photo in self._machine_photos or _at(self._machine_events, deployment, time):
            return PhotoLabel("", ONLY_MACHINE)
        return PhotoLabel("", NO_LABEL)


def _at(events: dict[str, _Events], deployment: str, time: float | None) -> set[str]:
    """Return what was seen at a deployment at a time."""
    return events[deployment].at(time) if time is not None and deployment in events else set()


def _seen(row: dict[str, str]) -> str:
    """Return the scientific name of an animal, or "<" and a reason."""
    if row.get("cameraSetupType"):
        return f"<{CAMERA_SETUP}"
    kind = row["observationType"].lower()
    if kind == "animal":
        return " ".join(row.get("scientificName", "").split()) or f"<{NO_NAME}"
    return f"<{kind if kind in _NO_ANIMALS else 'unclassified'}"


@lru_cache(maxsize=100_000)  # a package has few species
def _label(seen: str, *, is_of_event: bool) -> PhotoLabel:
    names = {each for each in seen.split("\n") if not each.startswith("<")}
    reasons = {each[1:] for each in seen.split("\n") if each.startswith("<")}
    species = {species_of(name) or name for name in names}
    if len(species) > 1:
        return PhotoLabel("", SEVERAL_SPECIES, is_of_event)
    if names and reasons & {"human", "vehicle"}:
        return PhotoLabel("", WITH_PEOPLE, is_of_event)
    if names and NO_NAME in reasons:
        return PhotoLabel("", SEVERAL_SPECIES, is_of_event)
    if names:
        return PhotoLabel(min(names), "", is_of_event)
    return PhotoLabel("", min(reasons), is_of_event)


def parse_time(text: str) -> float | None:
    """Return the seconds since 1970 of an ISO time; one without a zone is taken for UTC.

    >>> parse_time("1970-01-01T01:00:10+01:00"), parse_time("noon")
    (10.0, None)
    """
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
