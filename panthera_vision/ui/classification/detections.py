"""Take a detector's file beside the photos, and make a box of each animal what is classified."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from panthera_vision.batch.detection_items import BLANK
from panthera_vision.detections.megadetector import (
    DetectionFile,
    Record,
    name_of,
    open_detections,
)
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError
from panthera_vision.ui.classification.prediction_cache import PhotoFile
from panthera_vision.ui.i18n import Translator, plain

_BOX = "file of a detector"
_KEPT = "detections"
_MAX_BYTES = 50_000_000


@dataclass(frozen=True)
class UploadedDetections:
    """Hold a visitor's file of a detector, or why it is of no use."""

    name: str
    source: DetectionFile | None
    problem: str = ""


def ask_for_detections(t: Translator) -> UploadedDetections | None:
    """Show the box for a detector's file; return what the visitor has put there."""
    with st.expander(t("detections"), icon=":material/crop_free:"):
        st.markdown(t("detections_help"))
        st.file_uploader(
            t("detections_file"), type=["json"], key=_BOX, help=t("privacy"), on_change=_keep
        )
        kept: UploadedDetections | None = st.session_state.get(_KEPT)
        if kept and _BOX not in st.session_state:  # the visitor left the page and came back
            st.caption(plain(kept.name))
        if kept and kept.source is None:
            st.error(t("detections_wrong", name=plain(kept.name), problem=plain(kept.problem)))
    return kept


def _keep() -> None:
    """Keep the file in the session; a callback, see `upload_view`."""
    file = st.session_state.get(_BOX)
    if file is None:
        st.session_state.pop(_KEPT, None)
        return
    st.session_state[_KEPT] = read_detections(file.name, file.getvalue())


def read_detections(name: str, content: bytes) -> UploadedDetections:
    """Read the bytes of a detector's file."""
    if len(content) > _MAX_BYTES:
        return UploadedDetections(name, None, f"> {_MAX_BYTES // 1_000_000} MB")
    try:
        return UploadedDetections(name, open_detections(Path(name), content))
    except UserError as problem:
        return UploadedDetections(name, None, str(problem))


def with_boxes(
    files: Sequence[PhotoFile], source: DetectionFile
) -> tuple[list[PhotoFile], list[str]]:
    """Replace each photo by the boxes on it; return the names of photos without a record, too.

    Uploads have no folders: a photo has the record whose path ends in its name, if only one does.
    Photos without a record are left as they are.
    """
    wanted = {file.name.casefold() for file in files}
    records: dict[str, Record] = {}
    count: Counter[str] = Counter()
    for record in source.records():
        name = name_of(record).replace("\\", "/").rsplit("/", 1)[-1].casefold()
        if name in wanted:
            records[name] = record
            count[name] += 1
    boxes: list[PhotoFile] = []
    without = []
    for file in files:
        name = file.name.casefold()
        if count[name] == 1:
            boxes += _boxes_of(file, source, records[name])
        else:
            boxes.append(file)
            without.append(file.name)
    return boxes, without


def _boxes_of(file: PhotoFile, source: DetectionFile, record: Record) -> list[PhotoFile]:
    try:
        detections = source.detections(record, source.threshold)
    except PhotoError as error:
        return [replace(file, key=f"{file.key} {error.reason}", reason=error.reason)]
    if not detections:
        return [replace(file, key=f"{file.key} {BLANK}", answer=BLANK)]
    boxes = []
    for found in detections:
        numbered = file.name if len(detections) == 1 else f"{file.name} · {found.number + 1}"
        kind = found.kind or ""
        boxes.append(
            replace(
                file,
                key=f"{file.key} {found}",
                name=numbered,
                detection=found,
                answer="" if kind == "animal" else kind,
                reason=found.reason,
            )
        )
    return boxes
