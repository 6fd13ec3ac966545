"""A photo index on disk: vectors, a table of their photos, and a manifest."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import read_table
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import (
    TrainedModel,
    load_feature_network,
)
from panthera_vision.search.embedding.embedder import (
    WHITENED,
    Embedder,
    padded_dimension,
)
from panthera_vision.search.embedding.whitening import Whitening, read_whitening
from panthera_vision.search.filters import FilterColumns
from panthera_vision.search.index.backend import (
    BACKENDS,
    IndexBackend,
    RowFilter,
)
from panthera_vision.search.index.manifest import (
    INDEX_FILE,
    MANIFEST_FILE,
    NETWORK_FILE,
    TABLE_FILE,
    WHITENING_FILE,
    DamagedIndexError,
    ForeignIndexError,
    IndexManifest,
    read_manifest,
)

# Not "group": that is the encounter, as in photos.csv.
DUPLICATES_COLUMN = "duplicate_group"
# A change of one of these means a new index; not every backend has all of them.
INDEX_FILES = (INDEX_FILE, TABLE_FILE, MANIFEST_FILE)


class Hit(NamedTuple):
    """Name a photo found by its row in the index's table, and its cosine similarity."""

    row: int
    similarity: float


@dataclass(frozen=True)
class PhotoIndex:
    """Hold vectors and the photos that they stand for, in the same order.

    `folder` is where the index was loaded from.
    """

    backend: IndexBackend
    table: pd.DataFrame
    manifest: IndexManifest
    whitening: Whitening | None = None
    folder: Path | None = None

    @cached_property
    def columns(self) -> FilterColumns:
        """Return the table's columns as filters need them."""
        return FilterColumns(self.table)

    @cached_property
    def groups(self) -> np.ndarray:
        """Return each photo's group of near-duplicates (N,)."""
        return self.table[DUPLICATES_COLUMN].astype(np.int64).to_numpy()

    @cached_property
    def _by_group(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all rows sorted by group, and where each group begins among them."""
        order = np.argsort(self.groups, kind="stable")
        return order, np.searchsorted(self.groups[order], np.arange(self.groups.max() + 2))

    def prepare(self) -> None:
        """Compute what the first search and the first filter need, ahead of them."""
        _ = self.columns, self._by_group

    def members_of(self, groups: list[int]) -> np.ndarray:
        """Return the rows of these groups' photos, ascending."""
        rows, begins = self._by_group
        members = [rows[begins[group] : begins[group + 1]] for group in groups]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *members]))

    def vector(self, row: int) -> np.ndarray:
        """Return the embedding (dimension,) of a photo of the collection."""
        return np.asarray(self.backend.vectors_at(np.array([row]))[0])

    def search(
        self,
        query: np.ndarray,
        k: int,
        row_filter: RowFilter | None = None,
        exclude: int | None = None,
    ) -> list[Hit]:
        """Find the `k` photos most similar to an L2-normalized `query` (dimension,).

        Fewer come back only if the index has fewer that pass; row `exclude` is left out.
        """
        available = len(self.table) if row_filter is None else len(row_filter.rows)
        # The excluded photo may be among the nearest: ask for one more.
        depth = min(k + (exclude is not None), available)
        if k < 1 or depth < 1:
            return []
        similarities, rows = self.backend.search(query[None], depth, row_filter)
        hits = map(Hit, rows[0].tolist(), similarities[0].tolist())
        return [hit for hit in hits if hit.row not in (-1, exclude)][:k]

    @cached_property
    def feature_network(self) -> TrainedModel | None:
        """Load the feature network that made the index; None if the classifier did.

        Raises:
            DamagedIndexError: its file belongs to another index.
            UserError: its file is missing.
        """
        expected = self.manifest.network_sha256
        if not expected or self.folder is None:
            return None
        network = load_feature_network(self.folder / NETWORK_FILE)
        if network.fingerprint != expected:  # a new index is being written
            raise DamagedIndexError(
                f"{self.folder / NETWORK_FILE} belongs to another index; `dvc repro` rebuilds it"
            )
        return network

    def embedder(self, predictor: Predictor) -> Embedder:
        """Return an embedder whose vectors can be compared with those of the index.

        Args:
            predictor: of the classifier. If a feature network made the index, that one embeds, on
                the same device and engine.

        Raises:
            ForeignIndexError: another model made the index.
            UserError: its feature network can't be loaded.
        """
        if self.feature_network is not None:
            predictor = predictor.of_model(self.feature_network)
        self.require_model(predictor.model)
        head = predictor.model.classifier.head
        classes = head.out_features if self.whitening else 0
        expected = padded_dimension(head.in_features + classes)
        whitened = len(self.whitening.mean) if self.whitening else head.in_features
        if self.backend.dimension != expected or whitened != head.in_features:
            raise ForeignIndexError(
                f"the index has vectors of {self.backend.dimension} numbers, and this model makes "
                f"{expected} of {head.in_features}; `dvc repro` rebuilds the index"
            )
        return Embedder(predictor, self.whitening)

    def require_model(self, model: TrainedModel) -> None:
        """Check that `model` made the index, or that the index has the network that did.

        Raises:
            ForeignIndexError: another model did.
        """
        if (
            not self.manifest.network_sha256
            and model.fingerprint != self.manifest.model_fingerprint
        ):
            raise ForeignIndexError(
                f"the index was made by model {self.manifest.model_fingerprint[:12]}, and this is "
                f"model {model.fingerprint[:12]}: their vectors can't be compared. "
                "Run `dvc repro` in the search pipeline"
            )


def load_index(folder: Path) -> PhotoIndex:
    """Read the index that `build_index` wrote.

    Raises:
        DamagedIndexError: a part is damaged, or does not belong to the others.
        ForeignIndexError: another version made it, with embeddings or a backend unknown here.
        UserError: a part is missing, or a server does not answer.
    """
    manifest = read_manifest(folder)
    if manifest.backend not in BACKENDS:
        raise ForeignIndexError(
            f"{folder} is an index of backend {manifest.backend!r}; this version has "
            f"{' and '.join(BACKENDS)}; `dvc repro` rebuilds the index"
        )
    manifest.check_files(folder)
    table = read_table(folder / TABLE_FILE, ("id", "species"))
    backend = BACKENDS[manifest.backend]().open(folder, manifest, table)
    if problem := _inconsistency(backend, table, manifest):
        raise DamagedIndexError(f"{folder}: {problem}; `dvc repro` rebuilds it")
    whitening = read_whitening(folder / WHITENING_FILE) if manifest.embedding == WHITENED else None
    return PhotoIndex(backend, table, manifest, whitening, folder)


def _inconsistency(backend: IndexBackend, table: pd.DataFrame, manifest: IndexManifest) -> str:
    """Return what does not fit together; "" if everything does."""
    if len(backend) != len(table) or len(table) != manifest.photos:
        return (
            f"the index has {len(backend)} vectors, its table {len(table)} photos, its manifest "
            f"says {manifest.photos}"
        )
    if backend.dimension != manifest.dimension:
        return f"vectors have {backend.dimension} numbers, the manifest says {manifest.dimension}"
    if (
        DUPLICATES_COLUMN not in table
        or not table[DUPLICATES_COLUMN].str.fullmatch("[0-9]{1,9}").all()
    ):
        return f"{TABLE_FILE} has no valid column {DUPLICATES_COLUMN!r}: an older version made it"
    if len(table) and table[DUPLICATES_COLUMN].astype(np.int64).max() >= len(table):
        return f"{TABLE_FILE} has more groups than photos"
    return ""
