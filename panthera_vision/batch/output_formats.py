"""Write the table of predictions, one row per photo or box, as CSV or JSON lines."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
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
    "note",
    "taken_at",
    "latitude",
    "longitude",
)
CAMERA_COLUMNS = ("taken_at", "latitude", "longitude")  # of EXIF
# Of runs with a detector's boxes; x and y of the upper left corner, fractions of the photo's sides.
BOX_COLUMNS = ("x", "y", "width", "height", "detection_category", "detection_confidence")
# Of runs that combine the photos of an encounter.
GROUP_COLUMNS = ("group", "group_answer", "group_species", "group_probability", "group_photos")
OPTIONAL_COLUMNS = (*BOX_COLUMNS, *GROUP_COLUMNS)
DIGITS = 6
Row = dict[str, Any]
Writer = Callable[[Iterable[Row], TextIO, Sequence[str]], None]


def prediction_to_row(prediction: Prediction) -> Row:
    """Return the columns of a row that describe a prediction, and all probabilities besides."""
    return {
        "answer": NONE_OF_THESE if prediction.is_none_of_these else prediction.species,
        "species": prediction.species,
        "probability": round(prediction.probability, DIGITS),
        "runner_up": prediction.runner_up,
        "runner_up_probability": round(prediction.runner_up_probability, DIGITS),
        "ood_score": round(prediction.ood_score, DIGITS),
        "probabilities": {n: round(p, DIGITS) for n, p in prediction.probabilities.items()},
    }


def photo_row(
    file: str, model: str, prediction: Prediction | None, *, reason: str = "", note: str = ""
) -> Row:
    """Return the whole row of a photo; `reason` says why there is no prediction."""
    row = {"file": file, "reason": reason, "note": note, "model": model}
    return row | (prediction_to_row(prediction) if prediction else {})


def _write_csv(rows: Iterable[Row], file: TextIO, columns: Sequence[str]) -> None:
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        names = {name: escape_csv_cell(row[name]) for name in ("file", "group") if name in row}
        writer.writerow(row | names)


def _write_json_lines(rows: Iterable[Row], file: TextIO, columns: Sequence[str]) -> None:
    for row in rows:
        ordered = {name: row.get(name) for name in (*columns, "probabilities")}
        file.write(json.dumps(ordered, ensure_ascii=False) + "\n")


# Suffix of the file → function that writes the rows with the given columns.
WRITERS: dict[str, Writer] = {
    ".csv": _write_csv,
    ".jsonl": _write_json_lines,
}
