"""Show photos of the collection as thumbnails: small JPEGs without their files' metadata."""

import io
from pathlib import Path

import streamlit as st
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.ui.paths import PipelinePaths

_LONGEST_SIDE = 640


def to_jpeg(photo: Image.Image, longest_side: int) -> bytes:
    """Encode a photo as a JPEG whose longer side has at most `longest_side` pixels."""
    small = photo.copy()
    small.thumbnail((longest_side, longest_side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def load_thumbnail(paths: PipelinePaths, file: str) -> bytes | None:
    """Return a table's photo as a small JPEG; None if the file is missing, broken or outside."""
    try:
        path = paths.photo(file)
        return _load_thumbnail(path, path.stat().st_mtime_ns)
    except (OSError, PhotoError, UserError):
        return None


@st.cache_data(max_entries=1000, show_spinner=False)
def _load_thumbnail(path: Path, modified: int) -> bytes:
    return to_jpeg(read_photo(path), _LONGEST_SIDE)
