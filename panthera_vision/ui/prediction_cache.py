"""A visitor's photos with their answers, so that a page that is drawn again asks nothing anew."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from panthera_vision.batch.output_formats import WRITERS, prediction_to_row
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.prefetch import batched
from panthera_vision.models.prediction import Prediction
from panthera_vision.ui.decision import Verdict, verdict
from panthera_vision.ui.uploads import take_upload

_BATCH = 8
_THUMBNAIL = 400


@dataclass(frozen=True)
class Given:
    """A file that a visitor gave.

    Attributes:
        key: tells it from the visitor's other files.
        name: as the visitor calls it.
        read: gives its bytes.
        size: how many bytes it has.
    """

    key: str
    name: str
    read: Callable[[], bytes]
    size: int = 0


def within_limits(given: Sequence[Given], most: int, most_bytes: int) -> list[Given]:
    """The first files: `most` of them, and no more than have `most_bytes` together."""
    taken: list[Given] = []
    total = 0
    for file in given[:most]:
        total += file.size
        if total > most_bytes:
            break
        taken.append(file)
    return taken


@dataclass(frozen=True)
class Classified:
    """A file and what came of it.

    Attributes:
        key, name: as given.
        answer: what the model says; None where there is no picture in the file.
        reason: why there is none, else empty.
        thumbnail: a small JPEG of the picture; empty where there is none.
    """

    key: str
    name: str
    answer: Prediction | None
    reason: str = ""
    thumbnail: bytes = b""


def classify(
    given: Sequence[Given],
    predictor: Predictor,
    known: dict[str, Classified],
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[Classified]:
    """The files with their answers, in order; those that `known` has are not asked for again.

    Args:
        given: the visitor's files as of now.
        predictor: the model.
        known: answers by key, which are kept here for the next time; answers to files that are
            not given any more are dropped.
        on_progress: told the number of files done, known ones included.
    """
    for key in known.keys() - {file.key for file in given}:
        del known[key]
    missing = [file for file in given if file.key not in known]
    done = len(given) - len(missing)
    for batch in batched(missing, _BATCH):
        for classified in _classified(batch, predictor):
            known[classified.key] = classified
        done += len(batch)
        on_progress(done)
    return [known[file.key] for file in given]


def _classified(batch: Sequence[Given], predictor: Predictor) -> Iterator[Classified]:
    uploads = [take_upload(file.name, file.read()) for file in batch]
    photos = [upload.photo for upload in uploads if upload.photo is not None]
    preprocessing = predictor.model.preprocessing
    answers = iter(
        predictor.predict(torch.stack([preprocessing(photo) for photo in photos])) if photos else ()
    )
    for file, upload in zip(batch, uploads, strict=True):
        if upload.photo is None:
            yield Classified(file.key, file.name, None, reason=upload.reason)
        else:
            yield Classified(file.key, file.name, next(answers), thumbnail=_thumbnail(upload.photo))


def _thumbnail(photo: Image.Image) -> bytes:
    small = photo.copy()
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def uncertain_first(photos: Sequence[Classified]) -> list[Classified]:
    """Broken files, then photos of none of the species, then by probability, least first."""

    def rank(photo: Classified) -> tuple[int, float]:
        if photo.answer is None:
            return 0, 0.0
        return (1 if photo.answer.is_none_of_these else 2), photo.answer.probability

    return sorted(photos, key=rank)


def label_of(photo: Classified, least_probability: float) -> str:
    """The species that the photo is put under, or the value of its verdict, or "unreadable"."""
    if photo.answer is None:
        return "unreadable"
    decided = verdict(photo.answer, least_probability)
    return photo.answer.species if decided is Verdict.NAMED else decided.value


def as_csv(photos: Sequence[Classified], predictor: Predictor) -> bytes:
    """The table that `predict.py` writes, for a spreadsheet (UTF-8 with its mark)."""
    file = io.StringIO(newline="")
    shared = {"model": predictor.model.fingerprint}
    rows = (
        {"file": photo.name, "reason": photo.reason}
        | shared
        | (prediction_to_row(photo.answer) if photo.answer else {})
        for photo in photos
    )
    WRITERS[".csv"](rows, file)
    return file.getvalue().encode("utf-8-sig")
