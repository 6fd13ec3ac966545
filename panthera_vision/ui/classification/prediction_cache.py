"""Cache a visitor's predictions, so that a rerun of the page does not recompute them."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from PIL import Image

from panthera_vision.batch.camera_columns import camera_columns
from panthera_vision.batch.detection_items import box_columns
from panthera_vision.batch.output_formats import BOX_COLUMNS, COLUMNS, WRITERS, Row, photo_row
from panthera_vision.batch.predict_files import predict_files
from panthera_vision.detections.boxes import Box
from panthera_vision.detections.megadetector import Detection
from panthera_vision.images.decoding import PhotoError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.prediction import Prediction
from panthera_vision.ui.classification.decision import Decision, decide
from panthera_vision.ui.thumbnails import to_jpeg
from panthera_vision.ui.uploads import decode_upload, draw_box

_BATCH = 8
_THUMBNAIL_SIDE = 400


@dataclass(frozen=True)
class PhotoFile:
    """Hold a visitor's file, or one of the boxes of a detector on it.

    Attributes:
        key: unique, also among the boxes of a file.
        name: that is shown.
        read: returns the bytes of the file.
        size: of the file, in bytes.
        detection: the box; None for the whole photo.
        answer: "blank", "person" or "vehicle" where the detector has answered.
        reason: why the detector's box is of no use; or empty.
    """

    key: str
    name: str
    read: Callable[[], bytes]
    size: int = 0
    detection: Detection | None = None
    answer: str = ""
    reason: str = ""

    @property
    def box(self) -> Box | None:
        """Return the box that is classified or shown, if there is one."""
        return self.detection.box if self.detection else None


def limit_files(files: Sequence[PhotoFile], most: int, most_bytes: int) -> list[PhotoFile]:
    """Return the first files: at most `most`, with at most `most_bytes` in total."""
    kept: list[PhotoFile] = []
    total = 0
    for file in files[:most]:
        total += file.size
        if total > most_bytes:
            break
        kept.append(file)
    return kept


@dataclass(frozen=True)
class Classified:
    """Hold a file's prediction, thumbnail (JPEG) and note, or the reason why there is none.

    `camera` has the columns of EXIF. Where a detector has answered, `answer` says so.
    """

    key: str
    name: str
    prediction: Prediction | None
    reason: str = ""
    thumbnail: bytes = b""
    note: str = ""
    camera: Row = field(default_factory=dict)
    detection: Detection | None = None
    answer: str = ""


def classify(
    files: Sequence[PhotoFile],
    predictor: Predictor,
    cached: dict[str, Classified],
    on_progress: Callable[[int], None] = lambda done: None,
) -> list[Classified]:
    """Classify the files, in order, except those already in `cached`.

    Args:
        files: the visitor's current files.
        predictor: the model.
        cached: results by key, updated in place; those of files that are gone are dropped.
        on_progress: called with the number of files done, cached ones included.
    """
    for key in cached.keys() - {file.key for file in files}:
        del cached[key]
    for file in files:
        if file.key not in cached and (file.answer or file.reason):
            cached[file.key] = _answered(file)
    missing = [file for file in files if file.key not in cached]
    seen: dict[str, tuple[bytes, Row]] = {}
    photos = [partial(_decode, file, seen) for file in missing]
    preprocessing = predictor.model.preprocessing
    results = predict_files(photos, predictor.predict, preprocessing, batch_size=_BATCH)
    already = len(files) - len(missing)
    for done, (file, result) in enumerate(zip(missing, results, strict=True), already + 1):
        if isinstance(result, PhotoError):
            cached[file.key] = Classified(file.key, file.name, None, reason=result.reason)
        else:
            thumbnail, camera = seen.pop(file.key)
            cached[file.key] = Classified(
                file.key,
                file.name,
                result.value,
                thumbnail=thumbnail,
                note=result.note,
                camera=camera,
                detection=file.detection,
            )
        on_progress(done)
    return [cached[file.key] for file in files]


def _decode(file: PhotoFile, seen: dict[str, tuple[bytes, Row]]) -> Image.Image:
    data = file.read()
    upload = decode_upload(file.name, data, file.box)
    if upload.photo is None or upload.whole is None:
        raise PhotoError(upload.reason)
    seen[file.key] = _thumbnail(upload.whole, file.box), camera_columns(data)
    return upload.photo


def _answered(file: PhotoFile) -> Classified:
    """Return what the detector says about a file or a box that is not classified."""
    shared = partial(Classified, file.key, file.name, None, detection=file.detection)
    if file.reason:
        return shared(reason=file.reason)
    data = file.read()
    upload = decode_upload(file.name, data)
    if upload.whole is None:
        return shared(reason=upload.reason)
    thumbnail = _thumbnail(upload.whole, file.box)
    return shared(
        thumbnail=thumbnail, note=upload.note, camera=camera_columns(data), answer=file.answer
    )


def _thumbnail(photo: Image.Image, box: Box | None) -> bytes:
    small = photo.copy()
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    return to_jpeg(draw_box(small, box) if box else small, _THUMBNAIL_SIDE)


def sort_uncertain_first(photos: Sequence[Classified]) -> list[Classified]:
    """Sort unreadable files first, then "none of these", then by probability, lowest first."""

    def rank(photo: Classified) -> tuple[int, float]:
        if photo.prediction is None:
            return (3 if photo.answer else 0), 0.0
        return (1 if photo.prediction.is_none_of_these else 2), photo.prediction.probability

    return sorted(photos, key=rank)


def label_of(photo: Classified, threshold: float) -> str:
    """Return the species that is shown, the value of the decision, or the detector's answer.

    A photo without any of them is "unreadable".
    """
    if photo.prediction is None:
        return photo.answer or "unreadable"
    decision = decide(photo.prediction, threshold)
    return photo.prediction.species if decision is Decision.NAMED else decision.value


def to_csv(photos: Sequence[Classified], predictor: Predictor) -> bytes:
    """Return the table that `predict.py` writes, in UTF-8 with a BOM for spreadsheets."""
    file = io.StringIO(newline="")
    model = predictor.model.fingerprint

    def row(photo: Classified) -> Row:
        made = photo_row(photo.name, model, photo.prediction, reason=photo.reason, note=photo.note)
        made |= photo.camera | ({"answer": photo.answer} if photo.answer else {})
        return made | (box_columns(photo.detection) if photo.detection else {})

    has_boxes = any(photo.detection or photo.answer for photo in photos)
    columns = (*COLUMNS, *BOX_COLUMNS) if has_boxes else COLUMNS
    WRITERS[".csv"](map(row, photos), file, columns)
    return file.getvalue().encode("utf-8-sig")
