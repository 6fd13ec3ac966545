"""The table of answers: one row a photo, as CSV or JSON lines."""

import csv
import json
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from panthera_vision.io.csv_safety import escape_csv_cell
from panthera_vision.models.prediction import NONE_OF_THESE, Prediction

COLUMNS = (
    "file",
    "answer",
    "species",
    "probability",
    "runner_up",
    "runner_up_probability",
    "ood_score",
    "model",
    "reason",
)
_DIGITS = 6
Row = dict[str, Any]


def prediction_to_row(answer: Prediction) -> Row:
    """The columns of a row that an answer fills, and all probabilities besides."""
    return {
        "answer": NONE_OF_THESE if answer.is_none_of_these else answer.species,
        "species": answer.species,
        "probability": round(answer.probability, _DIGITS),
        "runner_up": answer.runner_up,
        "runner_up_probability": round(answer.runner_up_probability, _DIGITS),
        "ood_score": round(answer.ood_score, _DIGITS),
        "probabilities": {n: round(p, _DIGITS) for n, p in answer.probabilities.items()},
    }


def _write_csv(rows: Iterable[Row], file: TextIO) -> None:
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {"file": escape_csv_cell(row["file"])})


def _write_json_lines(rows: Iterable[Row], file: TextIO) -> None:
    for row in rows:
        ordered = {name: row.get(name) for name in (*COLUMNS, "probabilities")}
        file.write(json.dumps(ordered, ensure_ascii=False) + "\n")


WRITERS: dict[str, Callable[[Iterable[Row], TextIO], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_json_lines,
}
