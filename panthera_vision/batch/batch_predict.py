"""Classify many photo files and write a table with one row per file (`panthera predict`)."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from panthera_vision.batch.output_file import check_output, keep_earlier
from panthera_vision.batch.output_formats import WRITERS, Row, photo_row
from panthera_vision.batch.predict_files import FileOutput, predict_files
from panthera_vision.batch.resume_log import SUFFIX, ResumeLog
from panthera_vision.images.decoding import PhotoError
from panthera_vision.images.kinds import KINDS
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.prefetch import batched
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.prediction import Prediction


def batch_predict(
    predictor: Predictor, photos: Sequence[Path], out: Path, *, batch_size: int, threads: int
) -> str:
    """Classify photo files, write one row per file to `out` in the given order, and summarize.

    Rows are appended to a resume log beside `out` as they come. An interrupted run continues from
    there and ends with the same table, byte for byte.

    Args:
        predictor: the model.
        photos: files, each once.
        out: the table, written atomically: CSV, or JSON lines with all probabilities.
        batch_size: photos per forward pass.
        threads: that decode photos.

    Returns:
        The number of photos by prediction and by reason, in one phrase.

    Raises:
        UserError: see `check_output`.
    """
    check_output(out, WRITERS, photos)
    fingerprint = predictor.model.fingerprint
    with ResumeLog(out.with_name(out.name + SUFFIX), fingerprint) as log:
        # Whole batches: a photo's last digits depend on the others of its batch.
        pending = [
            photo
            for batch in batched(photos, batch_size)
            if any(photo not in log for photo in batch)
            for photo in batch
        ]
        results = predict_files(
            pending,
            predictor.predict,
            predictor.model.preprocessing,
            batch_size=batch_size,
            threads=threads,
        )
        with closing(results), progress_bar("classify", "photo", len(pending)) as progress:
            for photo, result in zip(pending, results, strict=True):
                log.add(photo, _row(photo, result, fingerprint))
                progress.update()
        summary = _write_table(log, photos, out)
        log.remove()
    resumed = len(photos) - len(pending)
    return summary + (f", {resumed} of them by an interrupted run" if resumed else "")


def _write_table(log: ResumeLog, photos: Sequence[Path], out: Path) -> str:
    """Write the logged rows of `photos` to `out`, atomically, and return their counts."""
    predicted: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    answered: list[str] = []

    def counted(photo: Path) -> Row:
        row = log.row(photo)
        counter, key = (unreadable, "reason") if row["reason"] else (predicted, "answer")
        counter[row[key]] += 1
        if not row["reason"]:
            answered.append(row["file"])
        return row

    with atomic_write(out) as partial_file:
        # A file name need not be UTF-8.
        with partial_file.open(
            "w", encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            WRITERS[out.suffix.lower()](map(counted, photos), file)
        kept = keep_earlier(out, answered)
    summary = f"{predicted.total()} photos classified{format_counts(predicted)}"
    if unreadable:
        summary += f", {unreadable.total()} can't be read{format_unreadable(unreadable)}"
    return summary + kept


def _row(photo: Path, result: FileOutput[Prediction] | PhotoError, fingerprint: str) -> Row:
    if isinstance(result, PhotoError):
        return photo_row(str(photo), fingerprint, None, reason=result.reason)
    return photo_row(str(photo), fingerprint, result.value, note=result.note)


def format_unreadable(counts: Counter[str]) -> str:
    """Return counts by reason; name the kinds of photos if files of other kinds are among them."""
    kinds = f"; photos are {KINDS}" if "not a photo" in counts else ""
    return format_counts(counts) + kinds


def format_counts(counts: Counter[str]) -> str:
    """Return counts as " (3 broken photo, 1 empty file)"; empty if there are none."""
    listed = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    return f" ({listed})" if listed else ""
