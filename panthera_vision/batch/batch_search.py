"""Photo files → the photos of the collection that look like each; embedded in batches."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from panthera_vision.batch.predict_files import predict_files
from panthera_vision.data.photo_table import photo_path
from panthera_vision.images.decoding import PhotoError
from panthera_vision.io.progress import progress_bar
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.results import HitGroup, describe_hits
from panthera_vision.search.searcher import Searcher


@dataclass(frozen=True)
class PhotoStore:
    """Where the collection's photos lie.

    Attributes:
        folder: what the table's `file` is relative to.
        roots: the only folders that they may lie in, resolved.
    """

    folder: Path
    roots: Sequence[Path]

    def file(self, photos: pd.DataFrame, row: int) -> str:
        """A photo's file; empty where the table has none.

        Raises:
            UserError: the table names a file elsewhere.
        """
        named = str(photos["file"].iat[row]) if "file" in photos else ""
        return str(photo_path(named, self.folder, self.roots).resolve()) if named else ""


@dataclass(frozen=True)
class SearchOptions:
    """What is asked of each photo.

    Attributes:
        photos: only photos that pass may be hits.
        count: hits.
        folded: whether near-duplicates are one hit.
    """

    photos: PhotoFilter
    count: int
    folded: bool


def search_files(
    search: Searcher,
    files: Sequence[Path],
    wanted: SearchOptions,
    store: PhotoStore,
    *,
    batch_size: int,
    threads: int,
) -> Iterator[dict[str, Any]]:
    """What is found for each file, in order: `file`, `reason`, `hits` and `agreement`.

    A file that is no photo has its reason, and no hits.

    Args:
        search: the model and its index.
        files: photos to search with.
        wanted: what is asked of each.
        store: tells where a hit's own file is.
        batch_size: photos that the network sees at once.
        threads: that decode.
    """
    results = predict_files(
        files,
        search.embedder.embeddings,
        search.predictor.model.preprocessing,
        batch_size=batch_size,
        threads=threads,
    )
    with closing(results), progress_bar("search", "photo", len(files)) as progress:
        for file, vector in zip(files, results, strict=True):
            found: dict[str, Any] = {"file": str(file), "reason": ""}
            if isinstance(vector, PhotoError):
                yield found | {"reason": vector.reason, "hits": [], "agreement": None}
            else:
                result = search.search(
                    vector, wanted.count, where=wanted.photos, group_duplicates=wanted.folded
                )
                yield found | _told(search.index.table, result.groups, store)
            progress.update()


def reasons(found: Sequence[dict[str, Any]]) -> str:
    """Why photos could not be read, counted; empty where all could."""
    counts = Counter(photo["reason"] for photo in found if photo["reason"])
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())


def _told(photos: pd.DataFrame, hits: Sequence[HitGroup], store: PhotoStore) -> dict[str, Any]:
    told = describe_hits(photos, hits).model_dump()
    for group, folded in zip(told["hits"], hits, strict=True):
        group["file"] = store.file(photos, folded.best.row)
        for photo, other in zip(group["near_duplicates"], folded.others, strict=True):
            photo["file"] = store.file(photos, other.row)
    return told
