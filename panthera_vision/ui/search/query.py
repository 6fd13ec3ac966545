"""Hold the query: a photo of the collection, named in the URL, or the visitor's upload.

The photo of the collection wins: a visitor comes to it from the upload by a click on a result, and
can go back.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.uploads import UPLOAD_TYPES, Upload, decode_upload

_PHOTO = "photo"  # in the address
_UPLOAD = "upload"
_CONTENT = "bytes of the upload"
_TRAIL = "trail"
_GENERATION = "upload box generation"
_EMBEDDING = "embedding of the upload"
_LONGEST_TRAIL = 100


@dataclass(frozen=True)
class Query:
    """Hold a photo of the collection by its row, or the visitor's upload, or neither.

    `unknown`: the address requests a photo that the collection does not have.
    """

    row: int | None = None
    upload: Upload | None = None
    unknown: bool = False

    @property
    def key(self) -> str:
        """Identify the photo within a visit; empty without one."""
        return str(self.row if self.row is not None else id(self.upload)) if self.is_given else ""

    @property
    def is_given(self) -> bool:
        """Return whether there is a photo to search with."""
        return self.row is not None or (self.upload is not None and self.upload.photo is not None)


def current_query(table: pd.DataFrame) -> Query:
    """Return what to search with by the address (untrusted) and the visitor's session."""
    requested = st.query_params.get(_PHOTO)
    upload = st.session_state.get(_UPLOAD)
    if requested is None:
        return Query(upload=upload)
    rows = table.index[table["id"] == requested].tolist()
    return Query(row=rows[0]) if rows else Query(upload=upload, unknown=True)


def upload_content() -> bytes:
    """Return the bytes of the visitor's upload; empty without one."""
    content: bytes = st.session_state.get(_CONTENT, b"")
    return content


def embed_query(searcher: Searcher, query: Query) -> np.ndarray | None:
    """Return the embedding to search with; an upload is embedded once, not with every click."""
    if query.row is not None:
        return searcher.index.vector(query.row)
    if query.upload is None or query.upload.photo is None:
        return None
    # Another model or whitening makes other embeddings.
    made_by = (searcher.index.manifest.model_fingerprint, searcher.index.manifest.whitening_sha256)
    known = st.session_state.get(_EMBEDDING)
    if known is None or known[0] is not query.upload or known[1] != made_by:
        known = (query.upload, made_by, searcher.embed(query.upload.photo))
        st.session_state[_EMBEDDING] = known
    embedding: np.ndarray = known[2]
    return embedding


def ask_for_photo(t: Translator) -> None:
    """Show the box that takes a file, or the camera; the photo is kept for this visitor alone."""
    source = st.segmented_control(
        t("source"),
        ["source_file", "source_camera"],
        default="source_file",
        required=True,
        format_func=t,
        key="source",
        persist_state="session",
    )
    # A box under another key is empty: see `start_again`.
    key = f"{source} {st.session_state.get(_GENERATION, 0)}"
    # The camera is shown only once it is chosen: the browser asks the visitor at once.
    if source == "source_camera":
        name = t("camera_photo")
        st.camera_input(
            t("camera"), key=key, help=t("privacy"), on_change=_take_upload, args=(key, name)
        )
    else:
        st.file_uploader(
            t("upload_one"),
            type=UPLOAD_TYPES,
            key=key,
            help=t("privacy"),
            on_change=_take_upload,
            args=(key,),
        )


def _take_upload(key: str, name: str = "") -> None:
    """Take the photo that the box `key` holds now, or none if it was emptied; a callback."""
    file = st.session_state.get(key)
    st.session_state.pop(_TRAIL, None)
    if file is None:
        st.session_state.pop(_UPLOAD, None)
        st.session_state.pop(_CONTENT, None)
    else:
        st.session_state[_CONTENT] = file.getvalue()
        st.session_state[_UPLOAD] = decode_upload(name or file.name, file.getvalue())
        _set_address("")


def search_with(photo: str) -> None:
    """Search with a photo of the collection next, and remember the way back."""
    trail = st.session_state.setdefault(_TRAIL, [])
    trail.append(st.query_params.get(_PHOTO, ""))
    del trail[:-_LONGEST_TRAIL]
    _set_address(photo)


def can_go_back() -> bool:
    """Return whether the visitor searched with something else before."""
    return bool(st.session_state.get(_TRAIL))


def go_back() -> None:
    """Return to what the visitor searched with before."""
    _set_address(st.session_state[_TRAIL].pop())


def start_again() -> None:
    """Forget all photos, the upload as well."""
    st.session_state.pop(_TRAIL, None)
    st.session_state.pop(_UPLOAD, None)
    st.session_state.pop(_CONTENT, None)
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    _set_address("")


def _set_address(photo: str) -> None:
    """Put a photo of the collection into the address; "" stands for the upload, or nothing."""
    if photo:
        st.query_params[_PHOTO] = photo
    elif _PHOTO in st.query_params:
        del st.query_params[_PHOTO]
