"""Search with one animal of the visitor's photo, where a detector's file has its box."""

import streamlit as st

from panthera_vision.detections.megadetector import Detection, DetectionFile
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError
from panthera_vision.ui.detections import ask_for_detections, find_records
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.uploads import Upload, decode_upload

_CROPPED = "cropped upload"


def choose_animal(upload: Upload | None, content: bytes, t: Translator) -> Upload | None:
    """Ask for a detector's file; return the animal that the visitor chooses, or the whole photo.

    Args:
        upload: the visitor's photo.
        content: the bytes of its file.
        t: translates.
    """
    if upload is None or upload.photo is None:
        return upload
    detections = ask_for_detections(t)
    if detections is None or detections.source is None:
        return upload
    record = find_records(detections.source, [upload.name]).get(upload.name)
    if record is None:
        st.warning(t("detections_without", count=1, names=plain(upload.name)))
        return upload
    animals = _animals(detections.source, record)
    if not animals:
        st.info(t("no_animal"))
        return upload
    chosen = 0
    if len(animals) > 1:
        chosen = st.segmented_control(
            t("which_animal"),
            range(len(animals)),
            default=0,
            required=True,
            format_func=lambda number: str(number + 1),
        )
    # The same object as long as photo and box are the same: its embedding is kept by it.
    box = animals[chosen or 0].box
    known = st.session_state.get(_CROPPED)
    if known is None or known[0] is not upload or known[1].box != box:
        known = (upload, decode_upload(upload.name, content, box))
        st.session_state[_CROPPED] = known
    cropped: Upload = known[1]
    return cropped


def _animals(source: DetectionFile, record: dict[str, object]) -> list[Detection]:
    try:
        found = source.detections(record, source.threshold)
    except (PhotoError, UserError):
        return []
    return [detection for detection in found if detection.kind == "animal"]
