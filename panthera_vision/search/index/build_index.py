"""Build an index on disk: vectors, the table of their photos, and the manifest."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_path, write_table
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import write_json
from panthera_vision.models.checkpoint import TrainedModel, save_checkpoint
from panthera_vision.search.duplicates import NearDuplicates, find_near_duplicates
from panthera_vision.search.embedding.embedder import PENULTIMATE, WHITENED
from panthera_vision.search.embedding.whitening import Whitening, write_whitening
from panthera_vision.search.index.backend import (
    AUTOMATIC,
    BACKENDS,
    IndexBackend,
    IndexContent,
    IndexSpec,
)
from panthera_vision.search.index.choose_factory import choose_factory
from panthera_vision.search.index.manifest import (
    INDEX_FILE,
    MANIFEST_FILE,
    NETWORK_FILE,
    TABLE_FILE,
    VECTORS_FILE,
    WHITENING_FILE,
    IndexManifest,
    read_manifest,
    sha256_if_exists,
)
from panthera_vision.search.index.photo_index import DUPLICATES_COLUMN


def build_index(
    embeddings: np.ndarray,
    table: pd.DataFrame,
    model: TrainedModel,
    folder: Path,
    spec: IndexSpec,
    whitening: Whitening | None = None,
) -> IndexManifest:
    """Build an inner-product index of `embeddings` and write it with its table to `folder`.

    The table gets a column `duplicate_group`: each photo's group of near-duplicates, for which the
    files of similar photos are read. The manifest is written last: until then it does not match
    the other files, and programs that search keep the index that they have in memory.

    Args:
        embeddings: L2-normalized (N, dimension), float32; may be memory-mapped.
        table: one row per photo, in the order of the embeddings.
        model: made the embeddings; a feature network is stored with the index, to embed queries.
        folder: gets the files.
        spec: backend, kind of index and near-duplicate threshold; with "auto", the kind is
            measured.
        whitening: stored with the index, to whiten queries the same way.

    Raises:
        UserError: the backend cannot build such an index, or not from so few photos, or a server
            does not answer.
    """
    previous = _previous_manifest(folder)
    content = IndexContent(embeddings, table, model.fingerprint, whitening)
    backend, spec = _build(content, spec, folder)
    duplicates = find_near_duplicates(embeddings, _paths(table, folder), spec.duplicate_similarity)
    stored = backend.write(folder, previous)
    _write_embedding(model, whitening, folder)
    for name in {INDEX_FILE, VECTORS_FILE} - set(stored.files):
        (folder / name).unlink(missing_ok=True)
    write_table(table.assign(**{DUPLICATES_COLUMN: duplicates.groups}), folder / TABLE_FILE)
    manifest = IndexManifest(
        model_fingerprint=model.fingerprint,
        backbone=model.backbone.name,
        dimension=embeddings.shape[1],
        photos=len(table),
        embedding=PENULTIMATE if whitening is None else WHITENED,
        **_checksums(folder),
        factory=spec.factory,
        search=spec.search,
        **_counts(duplicates),
        backend=spec.backend,
        uri=stored.uri,
        collection=stored.collection,
        previous_collection=stored.previous_collection,
    )
    write_json(folder / MANIFEST_FILE, asdict(manifest))
    backend.cleanup(previous, manifest)
    backend.close()
    return manifest


def _build(content: IndexContent, spec: IndexSpec, folder: Path) -> tuple[IndexBackend, IndexSpec]:
    """Build the index of `spec`; return it, and `spec` with what "auto" chose."""
    if spec.factory == AUTOMATIC:
        chosen = choose_factory(content.vectors, spec.recall, spec.backend)
        if chosen.built is not None and not spec.search:
            return chosen.built, replace(spec, factory=chosen.factory, search=chosen.search)
        spec = replace(spec, factory=chosen.factory, search=spec.search or chosen.search)
    return BACKENDS[spec.backend]().build(content, spec, folder), spec


def _paths(table: pd.DataFrame, folder: Path) -> Callable[[int], Path | None]:
    """Return a function from a row to its photo; to None where the file lies elsewhere."""
    roots = photo_folders(folder.resolve().parent)
    files = table.get("file", pd.Series("", index=table.index)).tolist()

    def path_of(row: int) -> Path | None:
        try:
            # Resolved: "faiss_index/.." can't be opened before the folder is there.
            return photo_path(files[row], folder, roots).resolve()
        except UserError:
            return None

    return path_of


def _write_embedding(model: TrainedModel, whitening: Whitening | None, folder: Path) -> None:
    """Write what queries are embedded with, besides the classifier; remove what is not used."""
    if whitening is None:
        (folder / WHITENING_FILE).unlink(missing_ok=True)
    else:
        write_whitening(whitening, folder / WHITENING_FILE)
    if model.class_names:
        (folder / NETWORK_FILE).unlink(missing_ok=True)
    else:
        save_checkpoint(model, folder / NETWORK_FILE)


def _checksums(folder: Path) -> dict[str, Any]:
    files = {
        "index_sha256": INDEX_FILE,
        "table_sha256": TABLE_FILE,
        "whitening_sha256": WHITENING_FILE,
        "network_sha256": NETWORK_FILE,
        "vectors_sha256": VECTORS_FILE,
    }
    return {key: sha256_if_exists(folder / name) for key, name in files.items()}


def _counts(duplicates: NearDuplicates) -> dict[str, Any]:
    return {
        "groups": int(duplicates.groups.max()) + 1,
        "similar_pairs": duplicates.similar,
        "same_shot_pairs": duplicates.same_shot,
        "unreadable_pairs": duplicates.unreadable,
    }


def _previous_manifest(folder: Path) -> IndexManifest | None:
    try:
        return read_manifest(folder)
    except UserError:
        return None
