"""Compare the answers of a model with those of SpeciesNet, photo by photo."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from panthera_vision.data.path_matching import match_paths
from panthera_vision.data.photo_table import read_table
from panthera_vision.data.speciesnet_labels import SpeciesNetLabel
from panthera_vision.detections.species_answers import SpeciesAnswer
from panthera_vision.errors import UserError
from panthera_vision.io.csv_safety import unescape_csv_cell
from panthera_vision.io.csv_table import parse_number
from panthera_vision.models.prediction import NONE_OF_THESE

YES, NO, LESS_SPECIFIC = "yes", "no", "less specific"
_UNKNOWN_CONFIDENCE = 0.5  # of an answer without a probability, to order the disagreements
_KINDS = {"person": "human"}  # answers of predict → kinds of SpeciesNet


@dataclass(frozen=True)
class Answer:
    """Hold what the model says of one photo: the likeliest answer of its boxes, and all of them."""

    file: str
    answer: str
    probability: float | None
    all_answers: frozenset[str]


def read_answers(table: Path) -> tuple[list[Answer], frozenset[str]]:
    """Read a table of `panthera predict`: an answer for each photo, and the model's species.

    Raises:
        UserError: it is not such a table, or has no answer.
    """
    if table.suffix.lower() != ".csv":
        raise UserError(f"{table}: compare reads the .csv that predict writes")
    columns = ("file", "answer", "species", "probability", "runner_up", "reason")
    rows = read_table(table, columns)
    rows = rows[rows["reason"] == ""]
    if rows.empty:
        raise UserError(f"{table} has no answer of predict")
    species = frozenset((*rows["species"], *rows["runner_up"])) - {""}
    by_file: dict[str, list[tuple[str, float | None]]] = defaultdict(list)
    for file, answer, probability in zip(
        rows["file"], rows["answer"], rows["probability"], strict=True
    ):
        likely = parse_number(probability) if answer in species else None
        by_file[unescape_csv_cell(file)].append((answer, likely))
    answers = []
    for file, found in by_file.items():
        answer, likely = max(found, key=lambda each: (each[0] in species, each[1] or 0))
        answers.append(Answer(file, answer, likely, frozenset(each for each, _ in found)))
    return answers, species


def compare_answers(
    ours: Sequence[Answer], species: frozenset[str], theirs: Iterable[SpeciesAnswer]
) -> pd.DataFrame:
    """Return one row for each of our photos, with SpeciesNet's answer beside ours.

    Args:
        ours: of `read_answers`.
        species: of the model.
        theirs: of `read_species_answers`. Their paths may be of another machine: the photo is the
            one whose path ends alike (`match_paths`).

    Returns:
        Columns file, answer, probability, speciesnet_species, speciesnet_probability, agrees, and
        label: the species of theirs as a label, or "". `agrees` is yes, no, "less specific" where
        they name a genus, family or order that ours belongs to, or empty without an answer.
    """
    answers = list(theirs)
    places = match_paths((our.file for our in ours), [answer.file for answer in answers])
    rows = []
    for our, place in zip(ours, places, strict=True):
        their = answers[place] if place is not None else None
        is_label = their is not None and their.label.species != ""
        rows.append(
            {
                "file": our.file,
                "answer": our.answer,
                "probability": our.probability,
                "speciesnet_species": their.label.name if their else "",
                "speciesnet_probability": their.probability if their else None,
                "agrees": verdict(our, their.label, species) if their else "",
                "label": their.label.species if their and is_label else "",
            }
        )
    return pd.DataFrame(rows)


def verdict(our: Answer, label: SpeciesNetLabel, species: frozenset[str]) -> str:
    """Return whether two answers agree; "" where SpeciesNet has none.

    On a photo with several animals it is enough that one of our answers is theirs.
    """
    if label.kind == "unknown":
        return ""
    found = {_agreement(answer, label, species) for answer in our.all_answers}
    return next(each for each in (YES, LESS_SPECIFIC, NO) if each in found)


def _agreement(answer: str, label: SpeciesNetLabel, species: frozenset[str]) -> str:
    if answer in species:
        if label.kind != "animal":
            return NO
        if label.species:
            return YES if label.species == answer else NO
        return LESS_SPECIFIC if label.may_be(answer) else NO
    if answer == NONE_OF_THESE:
        return NO if label.species in species else YES
    kind = _KINDS.get(answer, answer)
    return YES if kind == label.kind else NO


def worst_first(compared: pd.DataFrame) -> pd.DataFrame:
    """Return the disagreements, those first of which both models are surest."""
    rows = compared[compared["agrees"] == NO]
    certainty = rows["probability"].astype(float).fillna(_UNKNOWN_CONFIDENCE) * rows[
        "speciesnet_probability"
    ].astype(float).fillna(_UNKNOWN_CONFIDENCE)
    order = certainty.to_numpy().argsort(kind="stable")[::-1]
    return rows.iloc[order]
