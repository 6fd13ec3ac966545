"""Turn a detector's file into items of a batch: one for each box, or one for a photo without."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from panthera_vision.batch.batch_items import BatchItem, BatchItems, file_items, item_key
from panthera_vision.batch.input_files import InputFiles, find_photos
from panthera_vision.batch.output_formats import Row
from panthera_vision.detections.boxes import DEFAULT_MARGIN, WHOLE_PHOTO, Box, crop_square
from panthera_vision.detections.megadetector import (
    Detection,
    DetectionFile,
    Record,
    is_video,
    name_of,
    open_detections,
)
from panthera_vision.detections.photo_names import PhotoNames
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.images.folders import FolderListing, list_photos
from panthera_vision.io.atomic import sha256_of_file

BLANK = "blank"
NOT_DETECTED = "not in the detector's file"
_TWICE = "named twice"


def require_one_folder(sources: Sequence[Path], column: str = "") -> None:
    """Check that a command with a detector's file names one folder of photos and no table.

    Args:
        sources: what the command line names.
        column: of a table, by which photos are to be grouped.

    Raises:
        UserError: they are no folder, several, or a column of a table is asked for.
    """
    if len(sources) != 1 or not sources[0].is_dir():
        raise UserError("--detections needs one folder as PHOTOS: that on which the detector ran")
    if column:
        raise UserError(
            f"--group-by {column}: with --detections no table is read; use gap or folder"
        )


@dataclass(frozen=True)
class CropOptions:
    """Hold which boxes are classified, and how they are cut out.

    Attributes:
        threshold: lowest confidence of a detection; None for the file's own.
        margin: around a box, as a fraction of its longer side.
        min_decoded_side: shorter side, in pixels, that suffices for a crop; see `decode`.
    """

    threshold: float | None = None
    margin: float = DEFAULT_MARGIN
    min_decoded_side: int | None = None


class DetectionItems:
    """Go through the photos of a detector's file and their boxes, in the order of the file.

    Animals are to be classified; persons, vehicles and photos without any detection have their
    answer. Whatever can't be used has a reason. Photos of the folder that the file does not name
    come last. The file is read again for each iteration; memory grows by 8 bytes a photo, and by
    the photos that the file does not name.

    Args:
        source: the detector's file.
        folder: of the photos; no file outside of it is read.
        options: of the boxes.

    Raises:
        UserError: none of the photos that the file names is in the folder.
    """

    def __init__(self, source: DetectionFile, folder: Path, options: CropOptions) -> None:
        self.source, self.folder, self.options = source, folder, options
        self.threshold = source.threshold if options.threshold is None else options.threshold
        self._names = PhotoNames(folder, map(name_of, source.records()))
        self.listing = FolderListing()
        self._repeated: frozenset[int] = frozenset()
        self._count = self._look_for_photos()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[BatchItem]:
        repeated: set[int] = set()
        for place, record in enumerate(self.source.records()):
            name = name_of(record)
            path, reason = self._names.resolve(name)
            if path is not None and (key := item_key(path)) in self._repeated:
                reason = _TWICE if key in repeated else ""
                repeated.add(key)
            if is_video(record):
                reason = "video"
            below = str(path.relative_to(self.folder)) if path else ""
            for item in self._items_of(record, path or Path(name), reason):
                item.columns.update(record=place, name=name, below=below)
                yield item
        for photo in self.listing.photos:
            yield BatchItem(
                photo, columns={"reason": NOT_DETECTED, "name": str(photo), "below": ""}
            )

    def description(self) -> str:
        """Return what was read, and the threshold, as a phrase."""
        where = "the file's own" if self.options.threshold is None else "given"
        return (
            f"{self.source.photos} photos in {self.source.path}; detections from a confidence of "
            f"{self.threshold:g} ({where})"
        )

    def settings(self) -> dict[str, Any]:
        """Return what the rows depend on besides the photos and the model."""
        return {
            "detections": sha256_of_file(self.source.path),
            "threshold": self.threshold,
            "margin": self.options.margin,
        }

    def _look_for_photos(self) -> int:
        """Find repeated names, and photos that the file does not name; count all items."""
        keys, items = array("Q"), 0
        for record in self.source.records():
            path, _ = self._names.resolve(name_of(record))
            if path is not None:
                keys.append(item_key(path))
            items += max(1, len(self._detections(record)[0]))
        if not keys and self.source.photos:
            raise UserError(
                f"{self.source.path}: none of its {self.source.photos} photos is in {self.folder}, "
                f"such as {name_of(next(iter(self.source.records())))!r}; name the folder that the "
                "detector was run on"
            )
        unique, counts = np.unique(np.array(keys, dtype=np.uint64), return_counts=True)
        self._repeated = frozenset(unique[counts > 1].tolist())

        def is_unknown(photo: Path) -> bool:
            key = np.uint64(item_key(photo))
            place = np.searchsorted(unique, key)
            return bool(place == len(unique) or unique[place] != key)

        list_photos(self.folder, self.listing, is_unknown)
        return items + len(self.listing.photos)

    def _detections(self, record: Record) -> tuple[list[Detection], str]:
        try:
            return self.source.detections(record, self.threshold), ""
        except PhotoError as error:
            return [], error.reason

    def _items_of(self, record: Record, file: Path, reason: str) -> Iterator[BatchItem]:
        detections, problem = self._detections(record)
        if reason or problem:
            yield BatchItem(file, columns={"reason": reason or problem})
            return
        if not detections:
            yield BatchItem(file, columns={"answer": BLANK})
        side = self.options.min_decoded_side
        boxes = [d.box for d in detections if d.kind == "animal" and d.box is not None]
        photo = _SharedPhoto(file, side and _side_to_decode(boxes, side), len(boxes))
        for detection in detections:
            columns = box_columns(detection)
            if detection.reason:
                columns["reason"] = detection.reason
            elif detection.kind != "animal":
                columns["answer"] = detection.kind
            else:
                box = detection.box or WHOLE_PHOTO
                crop = partial(photo.crop, box, self.options.margin)
                yield BatchItem(file, detection.number, crop, columns)
                continue
            yield BatchItem(file, detection.number, columns=columns)


def box_columns(detection: Detection) -> Row:
    """Return the columns of a row that describe its box, and the box's number in the record."""
    box = detection.box
    return {
        "x": box and box.x,
        "y": box and box.y,
        "width": box and box.width,
        "height": box and box.height,
        "detection_category": detection.category,
        "detection_confidence": detection.confidence,
        "box": detection.number,
    }


def _side_to_decode(boxes: list[Box], min_side: int) -> int:
    """Return the shorter side at which a photo is decoded, so that its boxes suffice."""
    smallest = min((max(box.width, box.height) for box in boxes), default=1.0)
    return int(min_side / smallest)


class _SharedPhoto:
    """Decode a photo once for all its boxes, and forget it after the last one."""

    def __init__(self, file: Path, min_decoded_side: int | None, boxes: int) -> None:
        self._file, self._side, self._left = file, min_decoded_side, boxes
        self._lock = Lock()
        self._decoded: Image.Image | PhotoError | None = None

    def crop(self, box: Box, margin: float) -> Image.Image:
        """Return the square around a box.

        Raises:
            PhotoError: the photo can't be read.
        """
        with self._lock:
            if self._decoded is None:
                try:
                    self._decoded = read_photo(self._file, self._side)
                except PhotoError as error:
                    self._decoded = error
            decoded = self._decoded
            self._left -= 1
            if not self._left:
                self._decoded = None
        if isinstance(decoded, PhotoError):
            raise decoded
        return crop_square(decoded, box, margin)


def find_items(
    sources: Sequence[Path], detections: Path | None, options: CropOptions
) -> tuple[BatchItems, InputFiles]:
    """Return the items of a command line, and its files where it names no detector's file.

    Raises:
        UserError: see `find_photos`, `open_detections` and `DetectionItems`.
    """
    if detections is None:
        inputs = find_photos(sources)
        return file_items(inputs.photos), inputs
    require_one_folder(sources)
    items = DetectionItems(open_detections(detections), sources[0], options)
    return items, InputFiles(listing=items.listing)
