"""The protocol of vector index backends, and the registry of them: FAISS and Milvus."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.search.embedding.whitening import Whitening
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index.manifest import IndexManifest

AUTOMATIC = "auto"


@dataclass(frozen=True)
class IndexSpec:
    """Describe the index to build.

    Attributes:
        duplicate_similarity: cosine similarity from which the pixels of two photos are compared.
        backend: key of `BACKENDS`.
        uri: address of a Milvus server, or a local file relative to the parent of the index folder.
        factory: FAISS index factory string, such as "HNSW32" or "IVF1024,SQ8", or "auto".
        search: FAISS search parameters, such as "nprobe=32"; "" for the defaults.
        recall: wanted recall@10 of "auto", against exact search.
    """

    duplicate_similarity: float
    backend: str = "faiss"
    uri: str = ""
    factory: str = AUTOMATIC
    search: str = ""
    recall: float = 0.97


@dataclass(frozen=True)
class IndexContent:
    """Hold what goes into an index.

    Attributes:
        vectors: L2-normalized embeddings (N, dimension), float32; may be memory-mapped.
        table: one row per photo, in the same order.
        model_fingerprint: SHA-256 of the checkpoint that embedded the photos.
        whitening: of the model's features, where they are whitened.
    """

    vectors: np.ndarray
    table: pd.DataFrame
    model_fingerprint: str = ""
    whitening: Whitening | None = None

    def digest(self) -> str:
        """Return a SHA-256 that is the same for the same photos, descriptions and vectors."""
        parts = [self.model_fingerprint, self.table.to_csv(index=False)]
        if self.whitening is not None:
            parts.append(self.whitening.weights.tobytes().hex())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class RowFilter:
    """Restrict a search to some photos.

    Attributes:
        rows: rows of the index's table, ascending, int64.
        photo_filter: the filter that selects exactly these rows, if there is one; a backend with
            filters of its own may use it instead.
    """

    rows: np.ndarray
    photo_filter: PhotoFilter | None = None


@dataclass(frozen=True)
class StoredVectors:
    """Say where a backend stored the vectors: files in the index folder, or a collection."""

    files: tuple[str, ...] = ()
    uri: str = ""
    collection: str = ""
    previous_collection: str = ""


class BackendUnavailableError(UserError):
    """The backend's server is gone or refuses; the same request may succeed later."""


class IndexBackend(Protocol):
    """Hold vectors numbered by the rows of the index's table; search them by inner product."""

    @classmethod
    def build(cls, content: IndexContent, spec: IndexSpec, folder: Path) -> Self:
        """Build an index as `spec` (resolved) says, for the index folder `folder`.

        Raises:
            UserError: the backend cannot build it, or a server does not answer.
        """
        ...

    @classmethod
    def open(cls, folder: Path, manifest: IndexManifest, table: pd.DataFrame) -> Self:
        """Open the index that `manifest` describes.

        Raises:
            UserError: a part is damaged or missing, or a server does not answer.
        """
        ...

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        ...

    def __len__(self) -> int:
        """Return the number of vectors."""
        ...

    def search(
        self, queries: np.ndarray, k: int, row_filter: RowFilter | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the `k` ≥ 1 nearest neighbors of each of the queries (Q, dimension), float32.

        Returns:
            Inner products (Q, k), float32, highest first, and rows (Q, k), int64; row -1 where
            there are fewer.
        """
        ...

    def vectors_at(self, rows: np.ndarray) -> np.ndarray:
        """Return the original vectors (len(rows), dimension) of these rows, float32."""
        ...

    def write(self, folder: Path, previous: IndexManifest | None) -> StoredVectors:
        """Store the vectors for good.

        Args:
            folder: the index folder.
            previous: the manifest of the index that this one replaces.
        """
        ...

    def cleanup(self, previous: IndexManifest | None, current: IndexManifest) -> None:
        """Remove what only indexes before `previous` needed; `previous` may still be searched."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


def _faiss() -> type[IndexBackend]:
    from panthera_vision.search.index.faiss_backend import FaissBackend

    return FaissBackend


def _milvus() -> type[IndexBackend]:
    from panthera_vision.search.index.milvus_backend import MilvusBackend

    return MilvusBackend


# Each backend is imported when it is first used.
BACKENDS: dict[str, Callable[[], type[IndexBackend]]] = {"faiss": _faiss, "milvus": _milvus}
