"""The FAISS index with a table of its photos and a note on the model that made it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np
import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.files import sha256_of_file, write_json, write_whole
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.photo_table import write_table
from panthera_vision.search.groups import duplicate_groups

INDEX_FILE = "vector_index.bin"
TABLE_FILE = "photos.csv"
NOTE_FILE = "index.json"
GROUP_COLUMN = "group"
INDEX_FILES = (INDEX_FILE, TABLE_FILE, NOTE_FILE)


class DamagedIndexError(UserError):
    """A part of the index is broken, of another index, or of an older version."""


class ForeignIndexError(UserError):
    """The index was made by another model than the one that is to search it."""


@dataclass(frozen=True)
class IndexNote:
    """What an index is made of, so that nothing is searched with the wrong model."""

    model_fingerprint: str
    backbone: str
    dimension: int
    photos: int
    index_sha256: str
    table_sha256: str


@dataclass(frozen=True)
class Hit:
    """A photo found: its row in the index's table, and its cosine similarity to the query."""

    row: int
    similarity: float


@dataclass(frozen=True)
class PhotoIndex:
    """Vectors and the photos that they stand for, in the same order."""

    vectors: faiss.Index
    table: pd.DataFrame
    note: IndexNote

    @property
    def groups(self) -> np.ndarray:
        """Each photo's group of near-duplicates, (N,)."""
        return self.table[GROUP_COLUMN].astype(np.int64).to_numpy()

    def vector(self, row: int) -> np.ndarray:
        """The embedding (dimension,) of a photo of the collection."""
        return np.asarray(self.vectors.reconstruct(row))

    def all_vectors(self) -> np.ndarray:
        """The embeddings (N, dimension) of all photos."""
        return np.asarray(self.vectors.reconstruct_n(0, self.vectors.ntotal))

    def search(self, query: np.ndarray, count: int, rows: np.ndarray | None = None) -> list[Hit]:
        """The `count` photos most similar to an L2-normalised `query` (dimension,).

        Args:
            query: an embedding by the model that made the index.
            count: how many photos; fewer come back only where fewer are there.
            rows: only these photos, chosen within the search; None for all.
        """
        parameters = None
        if rows is not None:
            if not len(rows):
                return []
            # FAISS adds this constructor at import; its annotations do not know it.
            parameters = faiss.SearchParameters(
                sel=faiss.IDSelectorBatch(rows.astype(np.int64))  # type: ignore[call-arg]
            )
        if not count:
            return []
        similarities, found = self.vectors.search(
            np.ascontiguousarray(query[None], dtype=np.float32),
            min(count, len(self.table)),
            params=parameters,
        )
        return [
            Hit(int(row), float(similarity))
            for row, similarity in zip(found[0], similarities[0], strict=True)
            if row >= 0
        ]

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
) -> int:
    """Write an exact inner-product index of `embeddings` (N, dimension) and its table.

    The table gets a column more: the photo's group of near-duplicates.

    Args:
        embeddings: L2-normalised, in the order of `table`.
        table: one row a photo.
        model: what embedded them.
        folder: gets the files.
        duplicate_similarity: cosine similarity from which on two photos are near-duplicates.

    Returns:
        How many groups there are.
    """
    vectors = faiss.IndexFlatIP(embeddings.shape[1])
    vectors.add(np.ascontiguousarray(embeddings, dtype=np.float32))
    with write_whole(folder / INDEX_FILE) as partial:
        faiss.write_index(vectors, str(partial))
    groups = duplicate_groups(vectors, duplicate_similarity)
    write_table(table.assign(**{GROUP_COLUMN: groups}), folder / TABLE_FILE)
    note = IndexNote(
        model_fingerprint=model.fingerprint,
        backbone=model.backbone,
        dimension=embeddings.shape[1],
        photos=len(table),
        index_sha256=sha256_of_file(folder / INDEX_FILE),
        table_sha256=sha256_of_file(folder / TABLE_FILE),
    )
    write_json(folder / NOTE_FILE, asdict(note))
    return int(groups.max()) + 1


def load_index(folder: Path) -> PhotoIndex:
    """Read what `build_index` wrote.

    Raises:
        DamagedIndexError: a part is broken, or does not belong to the others.
        UserError: a part is missing.
    """
    missing = [name for name in INDEX_FILES if not (folder / name).exists()]
    if missing:
        raise UserError(f"{folder / missing[0]} is not there; `dvc repro` makes it")
    try:
        note = IndexNote(**json.loads((folder / NOTE_FILE).read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise DamagedIndexError(
            f"{folder / NOTE_FILE} is broken; `dvc repro` makes the index anew"
        ) from None
    for name, expected in ((INDEX_FILE, note.index_sha256), (TABLE_FILE, note.table_sha256)):
        if sha256_of_file(folder / name) != expected:
            raise DamagedIndexError(
                f"{folder / name} is not the file that {NOTE_FILE} describes: it is damaged or of "
                "another index; `dvc repro` makes it anew"
            )
    vectors = faiss.read_index(str(folder / INDEX_FILE))
    table = pd.read_csv(folder / TABLE_FILE, dtype=str, keep_default_na=False)
    if not (vectors.ntotal == len(table) == note.photos) or vectors.d != note.dimension:
        raise DamagedIndexError(
            f"{folder}: the index and its table differ in length; `dvc repro` mends it"
        )
    if GROUP_COLUMN not in table or not table[GROUP_COLUMN].str.fullmatch("[0-9]{1,9}").all():
        raise DamagedIndexError(
            f"{folder / TABLE_FILE} does not say which photos are near-duplicates: it was made by "
            "an older version; `dvc repro` makes it anew"
        )
    return PhotoIndex(vectors, table, note)
