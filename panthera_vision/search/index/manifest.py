"""What an index says of itself: what it is made of, and where its vectors are."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.search.embedding.embedder import EMBEDDINGS, PENULTIMATE

NOTE_FILE = "index.json"
FAISS, MILVUS = "faiss", "milvus"
BACKENDS = (FAISS, MILVUS)


class DamagedIndexError(UserError):
    """A part of the index is broken, of another index, or of an older version."""


class ForeignIndexError(UserError):
    """The index was made by another model, or holds other vectors, than what is to search it."""


@dataclass(frozen=True)
class IndexManifest:
    """What an index is made of, so that nothing is searched with the wrong model.

    `embedding` is one of `EMBEDDINGS`; `whitening_sha256` is empty where nothing is whitened.
    `factory` and `search` are in FAISS's words; `vectors_sha256` is empty where the index itself
    has the vectors. With Milvus, `uri` and `collection` say where the vectors are; the collection
    before is kept for those who still search it.
    """

    model_fingerprint: str
    backbone: str
    dimension: int
    photos: int
    index_sha256: str
    table_sha256: str
    embedding: str = PENULTIMATE
    whitening_sha256: str = ""
    vectors_sha256: str = ""
    factory: str = "Flat"
    search: str = ""
    groups: int = 0
    backend: str = FAISS
    uri: str = ""
    collection: str = ""
    previous_collection: str = ""

    def described(self) -> str:
        """The kind of index and how it is searched."""
        kind = f"index {self.factory}" + (f" searched with {self.search}" if self.search else "")
        return f"{kind}, in Milvus at {self.uri}" if self.backend == MILVUS else kind


def read_manifest(folder: Path) -> IndexManifest:
    """The note of the index in `folder`.

    Raises:
        DamagedIndexError: it is broken, or of an older version.
        ForeignIndexError: it tells of vectors of a kind that this version does not make.
        UserError: it is not there.
    """
    path = folder / NOTE_FILE
    try:
        note = IndexManifest(**json.loads(path.read_text(encoding="utf-8")))
        if any(type(getattr(note, part.name)) is not part.type for part in fields(note)):
            raise TypeError
    except FileNotFoundError:
        raise UserError(f"{path} is not there; `dvc repro` makes it") from None
    except (ValueError, TypeError, RecursionError):
        raise DamagedIndexError(f"{path} is broken; `dvc repro` makes the index anew") from None
    if note.embedding not in EMBEDDINGS:
        raise ForeignIndexError(
            f"{folder} holds vectors named {note.embedding!r}, and this version makes "
            f"{' or '.join(map(repr, EMBEDDINGS))}; `dvc repro` makes the index anew"
        )
    if note.backend not in BACKENDS:
        raise ForeignIndexError(
            f"{folder} is an index of {note.backend!r}, and this version knows "
            f"{' and '.join(BACKENDS)}; `dvc repro` makes the index anew"
        )
    return note
