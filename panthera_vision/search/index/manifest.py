"""The manifest of an index: the model, the files with their checksums, and the backend."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from panthera_vision.errors import UserError
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.search.embedding.embedder import EMBEDDINGS, PENULTIMATE

MANIFEST_FILE = "index.json"
TABLE_FILE = "photos.csv"
WHITENING_FILE = "whitening.npy"
# The feature network that made the index; absent if the classifier did.
NETWORK_FILE = "embedder.pth"
# Of backends that store vectors in the index folder.
INDEX_FILE = "vector_index.bin"
VECTORS_FILE = "vectors.npy"


class DamagedIndexError(UserError):
    """A part of the index is damaged, belongs to another index, or is of an older version."""


class ForeignIndexError(UserError):
    """Another model made the index, or it holds embeddings that this version does not make."""


@dataclass(frozen=True)
class IndexManifest:
    """Record what an index consists of, so that it is never searched with the wrong model.

    `embedding` is one of `EMBEDDINGS`. A checksum is empty if the index has no such file.
    `factory` and `search` are in FAISS's syntax. With Milvus, `uri` and `collection` say where the
    vectors are; `previous_collection` is kept for programs that still search it. `groups` are those
    of near-duplicates; see `NearDuplicates` for the pairs.
    """

    model_fingerprint: str
    backbone: str
    dimension: int
    photos: int
    index_sha256: str
    table_sha256: str
    embedding: str = PENULTIMATE
    whitening_sha256: str = ""
    network_sha256: str = ""
    vectors_sha256: str = ""
    factory: str = "Flat"
    search: str = ""
    groups: int = 0
    similar_pairs: int = 0
    same_shot_pairs: int = 0
    unreadable_pairs: int = 0
    backend: str = "faiss"
    uri: str = ""
    collection: str = ""
    previous_collection: str = ""

    def described(self) -> str:
        """Describe the kind of index, its search parameters and where the vectors are."""
        kind = f"index {self.factory}" + (f" searched with {self.search}" if self.search else "")
        return f"{kind}, in {self.backend.title()} at {self.uri}" if self.uri else kind

    def compared_pairs(self) -> str:
        """Describe how many pairs of similar vectors show the same shot."""
        unreadable = f", {self.unreadable_pairs:,} unreadable" if self.unreadable_pairs else ""
        return (
            f"{self.same_shot_pairs:,} of {self.similar_pairs:,} similar pairs show the same shot"
            f"{unreadable}"
        )

    def check_files(self, folder: Path) -> None:
        """Compare the files in `folder` with their checksums.

        Raises:
            DamagedIndexError: a file differs.
            UserError: a file is missing.
        """
        for name, expected in (
            (INDEX_FILE, self.index_sha256),
            (TABLE_FILE, self.table_sha256),
            (VECTORS_FILE, self.vectors_sha256),
            (WHITENING_FILE, self.whitening_sha256),
            (NETWORK_FILE, self.network_sha256),
        ):
            if expected and not (folder / name).exists():
                raise UserError(f"{folder / name} does not exist; `dvc repro` creates it")
            if sha256_if_exists(folder / name) != expected:
                raise DamagedIndexError(
                    f"{folder / name} is not the file that {MANIFEST_FILE} describes: it is "
                    "damaged or belongs to another index; `dvc repro` rebuilds it"
                )


def read_manifest(folder: Path) -> IndexManifest:
    """Read the manifest of the index in `folder`.

    Raises:
        DamagedIndexError: it is damaged, or of an older version.
        ForeignIndexError: the index holds embeddings that this version does not make.
        UserError: it is missing.
    """
    path = folder / MANIFEST_FILE
    try:
        manifest = IndexManifest(**json.loads(path.read_text(encoding="utf-8")))
        if any(type(getattr(manifest, part.name)) is not part.type for part in fields(manifest)):
            raise TypeError
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; `dvc repro` creates it") from None
    except (ValueError, TypeError, RecursionError):
        raise DamagedIndexError(f"{path} is damaged; `dvc repro` rebuilds the index") from None
    if manifest.embedding not in EMBEDDINGS:
        raise ForeignIndexError(
            f"{folder} holds embeddings of kind {manifest.embedding!r}; this version makes "
            f"{' or '.join(map(repr, EMBEDDINGS))}; `dvc repro` rebuilds the index"
        )
    return manifest


def sha256_if_exists(path: Path) -> str:
    """Return a file's SHA-256, or "" if there is no such file."""
    return sha256_of_file(path) if path.exists() else ""
