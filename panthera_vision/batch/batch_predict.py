"""Classify many photo files and write a table of the answers (`panthera predict`)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import tee
from pathlib import Path
from typing import Any

from panthera_vision.batch.batch_items import BatchItem, BatchItems
from panthera_vision.batch.camera_columns import camera_columns
from panthera_vision.batch.output_file import check_output, keep_earlier
from panthera_vision.batch.output_formats import COLUMNS, WRITERS, Row, Writer, photo_row
from panthera_vision.batch.predict_files import FileOutput, predict_files
from panthera_vision.batch.resume_log import SUFFIX, ResumeLog
from panthera_vision.data.coordinates import Coordinates
from panthera_vision.images.decoding import PhotoError
from panthera_vision.images.kinds import KINDS
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.prefetch import batched
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.progress import progress_bar
from panthera_vision.models.prediction import Prediction

Rows = Callable[[], Iterator[Row]]
RowsTo = Callable[[Iterable[Row]], str]


@dataclass(frozen=True)
class BatchOptions:
    """Hold how a batch runs and what it writes.

    Attributes:
        batch_size: photos per forward pass.
        threads: that decode photos.
        columns: of the table.
        writers: of the table, by the suffix of its name.
        phrases: of the summary, for rows with an answer and for those with a reason.
        coordinates: how those of EXIF are written: exact, to a tenth of a degree, or not.
        settings: on which the rows depend besides model and photos; with others, an interrupted
            run begins anew.
        add_columns: gets a function that returns all rows in order, returns one whose rows have
            more columns, and a phrase for the summary.
        outputs: further consumers of the rows, each of which returns a phrase for the summary.
    """

    batch_size: int = 32
    threads: int = 2
    columns: Sequence[str] = COLUMNS
    writers: Mapping[str, Writer] = field(default_factory=lambda: WRITERS)
    phrases: tuple[str, str] = ("photos classified", "can't be read")
    coordinates: Coordinates = "exact"
    settings: Mapping[str, Any] = field(default_factory=dict)
    add_columns: Callable[[Rows], tuple[Rows, str]] | None = None
    outputs: Sequence[RowsTo] = ()


def batch_predict(predictor: Predictor, items: BatchItems, out: Path, options: BatchOptions) -> str:
    """Classify photos, write one row per item to `out` in the given order, and summarize.

    Rows are appended to a resume log beside `out` as they come. An interrupted run continues from
    there and ends with the same table, byte for byte. Memory grows by a few bytes per item.

    Args:
        predictor: the model.
        items: see `file_items`.
        out: the table, written atomically: CSV, or JSON lines with all probabilities.
        options: of the run.

    Returns:
        The number of items by answer and by reason, in one phrase.

    Raises:
        UserError: see `check_output`.
    """
    check_output(out, options.writers, (item.file for item in items))
    fingerprint = predictor.model.fingerprint
    header = {"model": fingerprint, "coordinates": options.coordinates, **options.settings}
    with ResumeLog(out.with_name(out.name + SUFFIX), header) as log:
        resumed = _classify(predictor, items, log, options)

        def rows() -> Iterator[Row]:
            for item in items:
                known = photo_row(str(item.file), fingerprint, None) | item.columns
                yield known if item.photo is None else log.row(item)

        whole, phrase = options.add_columns(rows) if options.add_columns else (rows, "")
        summary = _write_table(whole, out, options) + phrase
        summary += "".join(output(whole()) for output in options.outputs)
        log.remove()
    return summary + (f", {resumed} of them by an interrupted run" if resumed else "")


def _classify(
    predictor: Predictor, items: BatchItems, log: ResumeLog, options: BatchOptions
) -> int:
    """Log the rows of all items with a photo; return how many an earlier run had logged."""
    resumed = 0

    def pending() -> Iterator[BatchItem]:
        # Whole batches: a photo's last digits depend on the others of its batch.
        nonlocal resumed
        with_photo = (item for item in items if item.photo is not None)
        for batch in batched(with_photo, options.batch_size):
            if all(item in log for item in batch):
                resumed += len(batch)
            else:
                yield from batch

    logged, classified = tee(pending())
    results = predict_files(
        (item.photo for item in classified if item.photo is not None),
        predictor.predict,
        predictor.model.preprocessing,
        batch_size=options.batch_size,
        threads=options.threads,
    )
    fingerprint = predictor.model.fingerprint
    total = sum(item.photo is not None for item in items)
    with closing(results), progress_bar("classify", "photo", total) as progress:
        for item, result in zip(logged, results, strict=True):
            row = _row(item, result, fingerprint)
            log.add(item, row | camera_columns(item.file, options.coordinates))
            progress.update()
    return resumed


def _write_table(rows: Rows, out: Path, options: BatchOptions) -> str:
    """Write the rows to `out` with the time and place of EXIF, and return their counts."""
    predicted: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()

    def counted() -> Iterator[Row]:
        for row in rows():
            counter, key = (unreadable, "reason") if row["reason"] else (predicted, "answer")
            counter[row[key]] += 1
            # The logged ones were read with the photo; where there is a reason, `file` may name a
            # file that must not be opened.
            if "taken_at" not in row and not row["reason"]:
                row = row | camera_columns(Path(row["file"]), options.coordinates)
            yield row

    with atomic_write(out) as partial_file:
        # A file name need not be UTF-8.
        with partial_file.open(
            "w", encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            options.writers[out.suffix.lower()](counted(), file, options.columns)
        name = "name" if out.suffix.lower() == ".json" else "file"
        kept = keep_earlier(out, (row[name] for row in rows() if not row["reason"]))
    done, failed = options.phrases
    summary = f"{predicted.total()} {done}{format_counts(predicted)}"
    if unreadable:
        summary += f", {unreadable.total()} {failed}{format_unreadable(unreadable)}"
    return summary + kept


def _row(item: BatchItem, result: FileOutput[Prediction] | PhotoError, fingerprint: str) -> Row:
    if isinstance(result, PhotoError):
        return photo_row(str(item.file), fingerprint, None, reason=result.reason) | item.columns
    return photo_row(str(item.file), fingerprint, result.value, note=result.note) | item.columns


def format_unreadable(counts: Counter[str]) -> str:
    """Return counts by reason; name the kinds of photos if files of other kinds are among them."""
    kinds = f"; photos are {KINDS}" if "not a photo" in counts else ""
    return format_counts(counts) + kinds


def format_counts(counts: Counter[str]) -> str:
    """Return counts as " (3 broken photo, 1 empty file)"; empty if there are none."""
    listed = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    return f" ({listed})" if listed else ""
