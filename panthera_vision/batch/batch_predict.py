"""Photo files → a table of answers; whatever is wrong with a photo, it gets its row."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.batch.output_formats import WRITERS, Row, prediction_to_row
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.prefetch import batched, prefetch
from panthera_vision.batch.resume_log import SUFFIX, ResumeLog
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.preprocessing import Preprocessing


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
    with ResumeLog(out.with_name(out.name + SUFFIX), fingerprint) as journal:
        # By whole batches: in other company a photo's numbers differ in their last digits.
        wanted = [
            photo
            for batch in batched(photos, batch_size)
            if any(photo not in journal for photo in batch)
            for photo in batch
        ]
        jobs = (partial(_load, predictor.model.preprocessing, photo) for photo in wanted)
        results = prefetch(jobs, ahead=2 * batch_size, threads=threads)
        with closing(results), progress_bar("classify", "photo", len(wanted)) as progress:
            for batch in batched(zip(wanted, results, strict=True), batch_size):
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
            atomic_write(out) as partial_file,
            # A file's name need not be UTF-8.
            partial_file.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            writer(map(counted, photos), file)
        journal.remove()
    return PredictionReport(answers, unreadable, len(photos) - len(wanted))


def _load(preprocessing: Preprocessing, photo: Path) -> torch.Tensor | PhotoError:
    try:
        return preprocessing(read_photo(photo, preprocessing.min_decoded_side))
    except PhotoError as error:
        return error


def _rows(
    predictor: Predictor, batch: Sequence[tuple[Path, torch.Tensor | PhotoError]]
) -> list[Row]:
    readable = [loaded for _, loaded in batch if isinstance(loaded, torch.Tensor)]
    answers = iter(predictor.predict(torch.stack(readable)) if readable else ())
    shared = {"model": predictor.model.fingerprint}
    return [
        {"file": str(photo), "reason": loaded.reason} | shared
        if isinstance(loaded, PhotoError)
        else {"file": str(photo), "reason": ""} | shared | prediction_to_row(next(answers))
        for photo, loaded in batch
    ]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
