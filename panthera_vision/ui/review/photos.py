"""Find the photos to show beside the one under review: neighbors, typical ones of a species."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from panthera_vision.data.proposed_photos import ProposedPhoto
from panthera_vision.data.review_queue import NEIGHBORS, ReviewItem
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.search.index.photo_index import INDEX_FILES, PhotoIndex, load_index
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.thumbnails import load_thumbnail, to_jpeg

TYPICAL = 3  # photos of a species
_SAMPLE = 300  # photos of a species whose mean embedding is typical of it
_LARGE = 1000  # pixels of the longest side


@dataclass(frozen=True)
class Neighbor:
    """Hold a photo of the index: its table's row, a small JPEG, and the similarity."""

    photo: Mapping[str, str]
    thumbnail: bytes | None
    similarity: float


@dataclass(frozen=True)
class IndexedPhotos:
    """Show photos of the search pipeline's index; `row_of` finds them by their id."""

    paths: ClassifierPaths
    index: PhotoIndex
    row_of: Mapping[str, int]

    def neighbors(self, item: ReviewItem) -> list[Neighbor]:
        """Return the most similar photos; none of a photo that is not in the index."""
        row = self.row_of.get(item.photo.id)
        if row is None:
            return []
        hits = self.index.search(self.index.vector(row), NEIGHBORS, exclude=row)
        return [self._neighbor(hit.row, hit.similarity) for hit in hits]

    def photo(self, id: str) -> Neighbor | None:
        """Return one photo of the index, if it is there."""
        row = self.row_of.get(id)
        return None if row is None else self._neighbor(row, 1.0)

    def typical(self, species: str) -> list[Neighbor]:
        """Return the photos of a species that are nearest to its mean embedding."""
        return [self._neighbor(row, 1.0) for row in _typical_rows(self.index, species)]

    def _neighbor(self, row: int, similarity: float) -> Neighbor:
        photo = {str(name): str(value) for name, value in self.index.table.iloc[row].items()}
        return Neighbor(photo, load_thumbnail(self.paths.search, photo.get("file", "")), similarity)


def find_indexed_photos(paths: ClassifierPaths) -> IndexedPhotos | None:
    """Load the search pipeline's index, if there is one."""
    folder = paths.search.index
    modified = [
        (folder / name).stat().st_mtime_ns if (folder / name).exists() else 0
        for name in INDEX_FILES
    ]
    try:
        index, row_of = _load(folder, *modified)
    except UserError:
        return None
    return IndexedPhotos(paths, index, row_of)


@st.cache_resource(max_entries=1, show_spinner=False)
def _load(folder: Path, *modified: int) -> tuple[PhotoIndex, dict[str, int]]:
    index = load_index(folder)
    return index, dict(zip(index.table["id"], range(len(index.table)), strict=True))


@st.cache_data(max_entries=100, show_spinner=False, hash_funcs={PhotoIndex: id})
def _typical_rows(index: PhotoIndex, species: str) -> list[int]:
    rows = np.flatnonzero((index.table["species"] == species).to_numpy())
    if not len(rows):
        return []
    sample = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(int)]
    vectors = index.backend.vectors_at(sample)
    nearest = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")[:TYPICAL]
    return [int(row) for row in sample[nearest]]


def load_large(paths: ClassifierPaths, item: ReviewItem) -> bytes | None:
    """Return the photo under review as a large JPEG; None if it is missing, broken or outside.

    A proposed photo lies anywhere: it is shown only if its content is what was proposed.
    """
    try:
        if item.photo.id:
            path = paths.photo(item.file)
        else:
            proposed = ProposedPhoto(0, item.file, item.photo.sha256, "", "", 0, 0)
            if not proposed.is_intact():
                return None
            path = proposed.path
        return _load_large(path, path.stat().st_mtime_ns)
    except (OSError, PhotoError, UserError):
        return None


@st.cache_data(max_entries=200, show_spinner=False)
def _load_large(path: Path, modified: int) -> bytes:
    return to_jpeg(read_photo(path), _LARGE)
