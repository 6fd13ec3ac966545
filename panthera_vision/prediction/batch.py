"""Photo files → a table of answers; whatever is wrong with a photo, it gets its row."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import torch

from panthera_vision.errors import UserError
from panthera_vision.files import write_whole
from panthera_vision.models.answer import NONE_OF_THESE, Answer
from panthera_vision.models.inference import Predictor
from panthera_vision.models.loading import in_batches, results_ahead
from panthera_vision.models.preprocessing import Preprocessing
from panthera_vision.photos.decoding import PhotoError, read_photo
from panthera_vision.prediction.journal import SUFFIX, PredictionJournal
from panthera_vision.progress import progress_bar
from panthera_vision.spreadsheet import as_plain_cell

COLUMNS = (
    "file",
    "answer",
    "species",
    "probability",
    "runner_up",
    "runner_up_probability",
    "none_of_these_score",
    "model",
    "reason",
)
_DIGITS = 6
Row = dict[str, Any]


@dataclass(frozen=True)
class PredictionReport:
    """Photos by answer, photos without one by reason, and how many were answered before."""

    answers: Counter[str]
    unreadable: Counter[str]
    answered_before: int

    def summary(self) -> str:
        """One phrase with every count."""
        parts = [f"{self.answers.total()} photos answered"]
        if self.answers:
            parts[0] += f" ({_listed(self.answers)})"
        if self.unreadable:
            parts.append(f"{self.unreadable.total()} can't be read ({_listed(self.unreadable)})")
        if self.answered_before:
            parts.append(f"{self.answered_before} of them by an interrupted run")
        return ", ".join(parts)


def predict_files(
    predictor: Predictor, photos: Sequence[Path], out: Path, *, batch_size: int, threads: int
) -> PredictionReport:
    """Answer photo files and write a row for each to `out`, in their order.

    Memory does not grow with the photos' pixels: two batches at most are held. What is answered
    is noted beside `out` at once; an interrupted run goes on from there, with the same result as
    an undisturbed one.

    Args:
        predictor: the model.
        photos: files, each once.
        out: the table to write, whole: CSV, or JSON lines with all probabilities.
        batch_size: photos that the network sees at once.
        threads: that decode.

    Raises:
        UserError: `out` has another suffix than those of `WRITERS`.
    """
    writer = WRITERS.get(out.suffix.lower())
    if writer is None:
        raise UserError(f"{out}: the table's name must end in {' or '.join(WRITERS)}")
    fingerprint = predictor.model.fingerprint
    with PredictionJournal(out.with_name(out.name + SUFFIX), fingerprint) as journal:
        # By whole batches: in other company a photo's numbers differ in their last digits.
        wanted = [
            photo
            for batch in in_batches(photos, batch_size)
            if any(photo not in journal for photo in batch)
            for photo in batch
        ]
        jobs = (partial(_load, predictor.model.preprocessing, photo) for photo in wanted)
        results = results_ahead(jobs, ahead=2 * batch_size, threads=threads)
        with closing(results), progress_bar("classify", "photo", len(wanted)) as progress:
            for batch in in_batches(zip(wanted, results, strict=True), batch_size):
                for photo, row in zip(
                    (photo for photo, _ in batch), _rows(predictor, batch), strict=True
                ):
                    journal.add(photo, row)
                journal.flush()
                progress.update(len(batch))
        answers: Counter[str] = Counter()
        unreadable: Counter[str] = Counter()

        def counted(photo: Path) -> Row:
            row = journal.row(photo)
            counter, key = (unreadable, "reason") if row["reason"] else (answers, "answer")
            counter[row[key]] += 1
            return row

        with (
            write_whole(out) as partial_file,
            # A file's name need not be UTF-8.
            partial_file.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            writer(map(counted, photos), file)
        journal.remove()
    return PredictionReport(answers, unreadable, len(photos) - len(wanted))


def _load(preprocessing: Preprocessing, photo: Path) -> torch.Tensor | PhotoError:
    try:
        return preprocessing(read_photo(photo))
    except PhotoError as error:
        return error


def _rows(
    predictor: Predictor, batch: Sequence[tuple[Path, torch.Tensor | PhotoError]]
) -> list[Row]:
    readable = [loaded for _, loaded in batch if isinstance(loaded, torch.Tensor)]
    answers = iter(predictor.answers(torch.stack(readable)) if readable else ())
    shared = {"model": predictor.model.fingerprint}
    return [
        {"file": str(photo), "reason": loaded.reason} | shared
        if isinstance(loaded, PhotoError)
        else {"file": str(photo), "reason": ""} | shared | _told(next(answers))
        for photo, loaded in batch
    ]


def _told(answer: Answer) -> Row:
    return {
        "answer": NONE_OF_THESE if answer.is_none_of_these else answer.species,
        "species": answer.species,
        "probability": round(answer.probability, _DIGITS),
        "runner_up": answer.runner_up,
        "runner_up_probability": round(answer.runner_up_probability, _DIGITS),
        "none_of_these_score": round(answer.none_of_these_score, _DIGITS),
        "probabilities": {n: round(p, _DIGITS) for n, p in answer.probabilities.items()},
    }


def _write_csv(rows: Iterable[Row], file: TextIO) -> None:
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {"file": as_plain_cell(row["file"])})


def _write_json_lines(rows: Iterable[Row], file: TextIO) -> None:
    for row in rows:
        ordered = {name: row.get(name) for name in (*COLUMNS, "probabilities")}
        file.write(json.dumps(ordered, ensure_ascii=False) + "\n")


WRITERS: dict[str, Callable[[Iterable[Row], TextIO], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_json_lines,
}


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
