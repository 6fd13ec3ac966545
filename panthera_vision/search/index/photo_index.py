"""Vectors with a table of their photos and a note on the model that made them."""

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import read_table, write_table
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import sha256_of_file, write_json
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.duplicates import group_near_duplicates
from panthera_vision.search.embedding.embedder import PENULTIMATE, WHITENED, Embedder
from panthera_vision.search.embedding.whitening import Whitening, read_whitening, write_whitening
from panthera_vision.search.index.backend import IndexBackend, RowFilter
from panthera_vision.search.index.faiss_backend import (
    INDEX_FILE,
    VECTORS_FILE,
    FaissBackend,
    read_faiss,
)
from panthera_vision.search.index.faiss_build import AUTOMATIC, automatic, build_faiss
from panthera_vision.search.index.manifest import (
    FAISS,
    MILVUS,
    NOTE_FILE,
    DamagedIndexError,
    ForeignIndexError,
    IndexManifest,
    read_manifest,
)
from panthera_vision.search.index.milvus_backend import MilvusBackend, open_collection
from panthera_vision.search.index.milvus_build import build_collection, superseded

TABLE_FILE = "photos.csv"
WHITENING_FILE = "whitening.npy"
GROUP_COLUMN = "group"
# Of any engine; one that keeps its vectors in the folder has files of its own beside them.
INDEX_FILES = (INDEX_FILE, TABLE_FILE, NOTE_FILE)


class Hit(NamedTuple):
    """A photo found: its row in the index's table, and its cosine similarity to the query."""

    row: int
    similarity: float


@dataclass(frozen=True)
class PhotoIndex:
    """Vectors and the photos that they stand for, in the same order."""

    engine: IndexBackend
    table: pd.DataFrame
    note: IndexManifest
    whitening: Whitening | None = None

    @cached_property
    def groups(self) -> np.ndarray:
        """Each photo's group of near-duplicates, (N,)."""
        return self.table[GROUP_COLUMN].astype(np.int64).to_numpy()

    @cached_property
    def _by_group(self) -> tuple[np.ndarray, np.ndarray]:
        """All rows, group by group, and where each group begins in them."""
        order = np.argsort(self.groups, kind="stable")
        return order, np.searchsorted(self.groups[order], np.arange(self.groups.max() + 2))

    def members_of(self, groups: list[int]) -> np.ndarray:
        """The rows of these groups' photos, ascending."""
        rows, begins = self._by_group
        members = [rows[begins[group] : begins[group + 1]] for group in groups]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *members]))

    def vector(self, row: int) -> np.ndarray:
        """The embedding (dimension,) of a photo of the collection."""
        return np.asarray(self.engine.vectors_at(np.array([row]))[0])

    def all_vectors(self) -> np.ndarray:
        """The embeddings (N, dimension) of all photos."""
        return self.engine.vectors_at(np.arange(len(self.table)))

    def search(
        self,
        query: np.ndarray,
        count: int,
        selection: RowFilter | None = None,
        without: int | None = None,
    ) -> list[Hit]:
        """The `count` photos most similar to an L2-normalised `query` (dimension,).

        Args:
            query: an embedding by the model that made the index.
            count: how many photos; fewer come back only where fewer are there.
            selection: only these photos, chosen within the search; None for all.
            without: the row of a photo that is to be left out.
        """
        return self.search_many(query[None], count, selection, without)[0]

    def search_many(
        self,
        queries: np.ndarray,
        count: int,
        selection: RowFilter | None = None,
        without: int | None = None,
    ) -> list[list[Hit]]:
        """`search` for each of the queries (Q, dimension), all at once."""
        there = len(self.table) if selection is None else len(selection.rows)
        # The photo to be left out may be among the best; one more than asked for makes up for it.
        depth = min(count + (without is not None), there)
        if count < 1 or depth < 1:
            return [[] for _ in queries]
        similarities, rows = self.engine.search(queries, depth, selection)
        none = -1 if without is None else without
        return [
            [hit for hit in map(Hit, *found) if hit.row >= 0 and hit.row != none][:count]
            for found in zip(rows.tolist(), similarities.tolist(), strict=True)
        ]

    def embedder(self, predictor: Predictor) -> Embedder:
        """What makes vectors like those of the index.

        Raises:
            ForeignIndexError: they were made by another model.
        """
        self.require_model(predictor.model)
        head = predictor.model.classifier.head
        made = head.in_features + (head.out_features if self.whitening else 0)
        turned = len(self.whitening.mean) if self.whitening else head.in_features
        if self.engine.dimension != made or turned != head.in_features:
            raise ForeignIndexError(
                f"the index has vectors of {self.engine.dimension} numbers, and this model makes "
                f"{made} of {turned}; `dvc repro` makes the index anew"
            )
        return Embedder(predictor, self.whitening)

    def require_model(self, model: TrainedModel) -> None:
        """Refuse to be searched with another model than the one that made the vectors.

        Raises:
            ForeignIndexError: it is another.
        """
        if model.fingerprint != self.note.model_fingerprint:
            raise ForeignIndexError(
                f"the index was made by model {self.note.model_fingerprint[:12]}, and this is "
                f"model {model.fingerprint[:12]}: their vectors can't be compared. "
                "Run `dvc repro` in the search pipeline"
            )


def build_index(
    embeddings: np.ndarray,
    table: pd.DataFrame,
    model: TrainedModel,
    folder: Path,
    *,
    duplicate_similarity: float,
    whitening: Whitening | None = None,
    backend: str = FAISS,
    uri: str = "",
    factory: str = AUTOMATIC,
    search: str = "",
) -> IndexManifest:
    """Write an inner-product index of `embeddings` (N, dimension) and its table.

    The table gets a column more: the photo's group of near-duplicates. The note comes last: until
    then it does not fit the other files, and whoever searches goes on with what is in memory.

    Args:
        embeddings: L2-normalised, float32, in the order of `table`; may be a memory map.
        table: one row a photo.
        model: what embedded them.
        folder: gets the files.
        duplicate_similarity: cosine similarity from which on two photos are near-duplicates.
        whitening: what the model's features were whitened with; goes into the folder, so that
            queries are whitened with the same.
        backend: what holds the vectors, one of `BACKENDS`.
        uri: with Milvus, a server's address, or a local file relative to the folder above `folder`.
        factory: the kind of index, in FAISS's words, or "auto".
        search: how it searches, in FAISS's words; "" for what goes with "auto", or FAISS's default.

    Returns:
        The note.

    Raises:
        UserError: the engine can't build such an index, or not from so few photos, or Milvus does
            not answer.
    """
    before = _note_before(folder)
    if factory == AUTOMATIC:
        factory, recommended = automatic(len(table))
        search = search or recommended
    collection = ""
    engine: FaissBackend | MilvusBackend
    if backend == MILVUS:
        digest = _digest(table, model, whitening)
        engine = build_collection(embeddings, table, folder, uri, digest, factory, search)
        collection = engine.collection
    else:
        engine = build_faiss(embeddings, factory, search)
    groups = group_near_duplicates(engine, duplicate_similarity)
    engine.write(folder)
    write_table(table.assign(**{GROUP_COLUMN: groups}), folder / TABLE_FILE)
    if whitening is None:
        (folder / WHITENING_FILE).unlink(missing_ok=True)
    else:
        write_whitening(whitening, folder / WHITENING_FILE)
    note = IndexManifest(
        model_fingerprint=model.fingerprint,
        backbone=model.backbone,
        dimension=embeddings.shape[1],
        photos=len(table),
        index_sha256=_sha256_if_there(folder / INDEX_FILE),
        table_sha256=sha256_of_file(folder / TABLE_FILE),
        embedding=PENULTIMATE if whitening is None else WHITENED,
        whitening_sha256=_sha256_if_there(folder / WHITENING_FILE),
        vectors_sha256=_sha256_if_there(folder / VECTORS_FILE),
        factory=factory,
        search=search,
        groups=int(groups.max()) + 1,
        backend=backend,
        uri=uri if backend == MILVUS else "",
        collection=collection,
        previous_collection=superseded(before, collection),
    )
    write_json(folder / NOTE_FILE, asdict(note))
    if isinstance(engine, MilvusBackend):
        engine.retire(before, note)
        engine.close()
    return note


def _digest(table: pd.DataFrame, model: TrainedModel, whitening: Whitening | None) -> str:
    """The same for the same photos, descriptions and vectors."""
    parts = [model.fingerprint, table.to_csv(index=False)]
    if whitening is not None:
        parts.append(whitening.weights.tobytes().hex())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _note_before(folder: Path) -> IndexManifest | None:
    try:
        return read_manifest(folder)
    except UserError:
        return None


def _sha256_if_there(path: Path) -> str:
    return sha256_of_file(path) if path.exists() else ""


def load_index(folder: Path) -> PhotoIndex:
    """Read what `build_index` wrote.

    Raises:
        DamagedIndexError: a part is broken, or does not belong to the others.
        ForeignIndexError: it holds vectors of a kind that this version does not make.
        UserError: a part is missing, or Milvus does not answer.
    """
    note = read_manifest(folder)
    for name, expected in (
        (INDEX_FILE, note.index_sha256),
        (TABLE_FILE, note.table_sha256),
        (VECTORS_FILE, note.vectors_sha256),
        (WHITENING_FILE, note.whitening_sha256),
    ):
        if expected and not (folder / name).exists():
            raise UserError(f"{folder / name} is not there; `dvc repro` makes it")
        if _sha256_if_there(folder / name) != expected:
            raise DamagedIndexError(
                f"{folder / name} is not the file that {NOTE_FILE} describes: it is damaged or of "
                "another index; `dvc repro` makes it anew"
            )
    table = read_table(folder / TABLE_FILE, ("id", "species"))
    engine: IndexBackend
    if note.backend == MILVUS:
        engine = open_collection(note, table, folder)
    else:
        engine = read_faiss(folder, note.search)
    if not (len(engine) == len(table) == note.photos) or engine.dimension != note.dimension:
        raise DamagedIndexError(
            f"{folder}: the index and its table differ in length; `dvc repro` mends it"
        )
    if GROUP_COLUMN not in table or not table[GROUP_COLUMN].str.fullmatch("[0-9]{1,9}").all():
        raise DamagedIndexError(
            f"{folder / TABLE_FILE} does not say which photos are near-duplicates: it was made by "
            "an older version; `dvc repro` makes it anew"
        )
    if len(table) and table[GROUP_COLUMN].astype(np.int64).max() >= len(table):
        raise DamagedIndexError(
            f"{folder / TABLE_FILE} has more groups than photos; `dvc repro` makes it anew"
        )
    whitening = read_whitening(folder / WHITENING_FILE) if note.embedding == WHITENED else None
    return PhotoIndex(engine, table, note, whitening)
