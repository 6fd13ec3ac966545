"""Take a visitor's file of a detector beside the photos."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from panthera_vision.detections.megadetector import (
    DetectionFile,
    Record,
    name_of,
    open_detections,
)
from panthera_vision.errors import UserError
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.uploads import MAXIMUM_UPLOAD_BYTES

_BOX = "file of a detector"
_KEPT, _WANTED = "detections", "detections wanted"


@dataclass(frozen=True)
class UploadedDetections:
    """Hold a visitor's file of a detector, or why it is of no use."""

    name: str
    source: DetectionFile | None
    problem: str = ""


def ask_for_detections(t: Translator) -> UploadedDetections | None:
    """Show the box for a detector's file if the visitor wants it; return what lies in it."""
    kept: UploadedDetections | None = st.session_state.get(_KEPT)
    st.session_state.setdefault(_WANTED, kept is not None)
    if not st.toggle(t("detections"), key=_WANTED, help=t("detections_help")):
        return None
    is_back = kept is not None and _BOX not in st.session_state  # from another page
    st.file_uploader(
        t("detections_file"), type=["json"], key=_BOX, help=t("privacy"), on_change=_keep
    )
    if kept and is_back:
        st.caption(plain(kept.name))
    if kept and kept.source is None:
        st.error(t("detections_wrong", name=plain(kept.name), problem=plain(kept.problem)))
    return kept


def _keep() -> None:
    """Keep the file in the session: Streamlit empties a box when its page is left; a callback."""
    file = st.session_state.get(_BOX)
    if file is None:
        st.session_state.pop(_KEPT, None)
        return
    st.session_state[_KEPT] = read_detections(file.name, file.getvalue())


def read_detections(name: str, content: bytes) -> UploadedDetections:
    """Read the bytes of a detector's file."""
    if len(content) > MAXIMUM_UPLOAD_BYTES:
        return UploadedDetections(name, None, f"> {MAXIMUM_UPLOAD_BYTES // 1_000_000} MB")
    try:
        return UploadedDetections(name, open_detections(Path(name), content))
    except UserError as problem:
        return UploadedDetections(name, None, str(problem))


def find_records(source: DetectionFile, names: Collection[str]) -> dict[str, Record]:
    """Return the records of uploads by their names, in any case.

    Uploads have no folders: a photo has the record whose path ends in its name, if only one does.
    """
    wanted = {name.casefold() for name in names}
    records: dict[str, Record] = {}
    count: Counter[str] = Counter()
    for record in source.records():
        name = name_of(record).replace("\\", "/").rsplit("/", 1)[-1].casefold()
        if name in wanted:
            records[name] = record
            count[name] += 1
    return {name: records[name.casefold()] for name in names if count[name.casefold()] == 1}
