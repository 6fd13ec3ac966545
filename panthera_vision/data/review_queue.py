"""Join the lists of photos to look at into one queue for review, the most suspicious first.

The lists are those of the stages: suspected label errors, neighbors that disagree, near-duplicates
across splits, mistakes on the test photos and photos that the model is least sure of; and photos
without labels, which `panthera propose` chose.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from panthera_vision.data.corrections import Correction, PhotoKey
from panthera_vision.data.photo_table import read_table
from panthera_vision.data.proposed_photos import read_proposed_photos
from panthera_vision.errors import UserError

ListName = Literal["label", "neighbors", "duplicates", "mistakes", "unsure", "proposed"]
LISTS: tuple[ListName, ...] = get_args(ListName)
NEIGHBORS = 10  # in disagreeing_neighbours.csv
# Suspicion of photos that are listed for something else than a wrong label, 0 to 1.
_DUPLICATE_OF_OTHER_SPECIES, _DUPLICATE = 0.5, 0.2
_UNSURE = 0.3  # of a photo with probability 0; most of them are hard and not wrong
_LEAST_SURE = 100


@dataclass(frozen=True)
class ReviewFiles:
    """Locate the tables of both pipelines that list photos to look at."""

    photos: Path
    label_review: Path
    disagreeing: Path
    duplicates: Path
    predictions: Path
    proposed: Path


@dataclass
class ReviewItem:
    """Hold a photo to look at.

    Attributes:
        photo: its names.
        file: relative to the folder of `photos.csv`, or absolute for a proposed photo.
        species: its label; "" for a proposed photo.
        suggested: the species that most speaks for, or "".
        duplicate_of: id of a near-duplicate, or "".
        suspicion: by list, 0 to 1.
    """

    photo: PhotoKey
    file: str
    species: str
    suggested: str = ""
    duplicate_of: str = ""
    suspicion: dict[ListName, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the id, or the SHA-256 of a photo without one."""
        return str(self.photo)

    @property
    def score(self) -> float:
        """Return the suspicion of all lists together, 0 to 1, as if they were independent."""
        rest = 1.0
        for suspicion in self.suspicion.values():
            rest *= 1 - suspicion
        return 1 - rest


@dataclass(frozen=True)
class ReviewQueue:
    """Hold the photos to look at, the most suspicious first, and why lists are missing."""

    items: tuple[ReviewItem, ...]
    problems: Mapping[ListName, str]

    def matching(self, lists: Iterable[str], species: Iterable[str]) -> list[ReviewItem]:
        """Return the photos of some lists and species; of all where none are named."""
        wanted, names = set(lists), set(species)
        return [
            item
            for item in self.items
            if (not wanted or wanted & set(item.suspicion))
            and (not names or names & {item.species, item.suggested})
        ]


def is_decided(item: ReviewItem, verdicts: Mapping[str, Correction]) -> bool:
    """Return whether a person has decided about the photo, by its id or by its SHA-256."""
    return item.key in verdicts or item.photo.sha256 in verdicts


def read_review_queue(files: ReviewFiles) -> ReviewQueue:
    """Read the lists that are there.

    A photo that `photos.csv` no longer has, or that has a label other than its list says, was
    corrected since, and is left out.
    """
    items: dict[str, ReviewItem] = {}
    problems: dict[ListName, str] = {}
    try:
        table = read_table(files.photos, ("id", "species", "file", "sha256", "outcome"))
    except UserError:
        table = pd.DataFrame(columns=["id", "species", "file", "sha256"])
    photos = {row["id"]: row for row in table.to_dict("records")}
    for name, file, read in (
        ("label", files.label_review, _read_label_review),
        ("neighbors", files.disagreeing, _read_disagreeing),
        ("duplicates", files.duplicates, _read_duplicates),
        ("mistakes", files.predictions, _read_mistakes),
        ("unsure", files.predictions, _read_unsure),
    ):
        try:
            for line in read(file):
                _add(items, photos, name, line)  # type: ignore[arg-type]
        except UserError as problem:
            problems[name] = str(problem)  # type: ignore[index]
    try:
        _add_proposed(items, files.proposed)
    except UserError as problem:
        problems["proposed"] = str(problem)
    order = sorted(items.values(), key=lambda item: (-item.score, item.key))
    return ReviewQueue(tuple(order), problems)


@dataclass(frozen=True)
class _Line:
    id: str
    species: str
    suspicion: float
    suggested: str = ""
    duplicate_of: str = ""


def _add(
    items: dict[str, ReviewItem],
    photos: Mapping[str, Mapping[str, str]],
    name: ListName,
    line: _Line,
) -> None:
    row = photos.get(line.id)
    if row is None or row["species"] != line.species:
        return
    key = PhotoKey(line.id, row["sha256"])
    item = items.setdefault(line.id, ReviewItem(key, row["file"], row["species"]))
    item.suspicion[name] = min(max(line.suspicion, 0.0), 1.0)
    item.suggested = item.suggested or line.suggested
    item.duplicate_of = item.duplicate_of or line.duplicate_of


def _add_proposed(items: dict[str, ReviewItem], file: Path) -> None:
    proposed = read_proposed_photos(file)
    for photo in proposed:
        item = ReviewItem(PhotoKey("", photo.sha256), photo.file, "", photo.predicted_species)
        item.suspicion["proposed"] = 1 - photo.rank / (len(proposed) + 1)
        items[photo.sha256] = item


def _rows(file: Path, *numbers: str) -> Iterator[dict[str, str]]:
    table = read_table(file, ("id", *numbers))
    for name in numbers:
        if not pd.to_numeric(table[name], errors="coerce").notna().all():
            raise UserError(f"{file} is broken: {name} is not a number; `dvc repro` rewrites it")
    yield from ({str(k): str(v) for k, v in row.items()} for row in table.to_dict("records"))


def _read_label_review(file: Path) -> Iterator[_Line]:
    for row in _rows(file, "priority"):
        suggested = row.get("suggested_species", "")
        yield _Line(row["id"], row.get("given_species", ""), float(row["priority"]), suggested)


def _read_disagreeing(file: Path) -> Iterator[_Line]:
    for row in _rows(file, "neighbours", "mean_similarity"):
        suspicion = float(row["neighbours"]) / NEIGHBORS * float(row["mean_similarity"])
        suggested = row.get("suggested_species", "")
        yield _Line(row["id"], row.get("given_species", ""), suspicion, suggested)


def _read_duplicates(file: Path) -> Iterator[_Line]:
    first: dict[str, tuple[str, str]] = {}  # of a group: id and species
    for row in _rows(file, "similarity"):
        species = row.get("species", "")
        original, other = first.setdefault(row.get("group", ""), (row["id"], species))
        if original != row["id"]:
            suspicion = _DUPLICATE_OF_OTHER_SPECIES if other != species else _DUPLICATE
            suggested = other if other != species else ""
            yield _Line(row["id"], species, suspicion, suggested, original)


def _read_mistakes(file: Path) -> Iterator[_Line]:
    for row in _rows(file, "probability"):
        actual, predicted = row.get("actual", ""), row.get("predicted", "")
        if actual != predicted:
            yield _Line(row["id"], actual, float(row["probability"]), predicted)


def _read_unsure(file: Path) -> Iterator[_Line]:
    rows = sorted(_rows(file, "probability"), key=lambda row: float(row["probability"]))
    for row in rows[:_LEAST_SURE]:
        suspicion = _UNSURE * (1 - float(row["probability"]))
        actual, predicted = row.get("actual", ""), row.get("predicted", "")
        yield _Line(row["id"], actual, suspicion, predicted if predicted != actual else "")
