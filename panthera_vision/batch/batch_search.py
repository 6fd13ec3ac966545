"""Search with many photo files: embed them in batches, list similar photos (`panthera search`)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from panthera_vision.batch.predict_files import predict_files
from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_path
from panthera_vision.images.decoding import PhotoError
from panthera_vision.io.progress import progress_bar
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.results import HitGroup, describe_hits
from panthera_vision.search.searcher import Searcher


@dataclass(frozen=True)
class PhotoStore:
    """Resolve the files of an index's photos, guarded against path traversal.

    Attributes:
        folder: what the table's `file` is relative to.
        roots: the only folders that they may lie in, resolved.
    """

    folder: Path
    roots: Sequence[Path]

    @classmethod
    def of_index(cls, index: Path) -> "PhotoStore":
        """Return the store of the photos of the index in folder `index`."""
        return cls(index, photo_folders(index.resolve().parent))

    def file(self, photos: pd.DataFrame, row: int) -> str:
        """Return the path of a photo of the table; empty if it names none.

        Raises:
            UserError: the path lies outside the roots.
        """
        named = str(photos["file"].iat[row]) if "file" in photos else ""
        return str(photo_path(named, self.folder, self.roots).resolve()) if named else ""

    def describe(self, photos: pd.DataFrame, groups: Sequence[HitGroup]) -> dict[str, Any]:
        """Return `describe_hits` as JSON values, with the `file` of each photo besides."""
        described = describe_hits(photos, groups).model_dump()
        for hit, group in zip(described["hits"], groups, strict=True):
            hit["file"] = self.file(photos, group.best.row)
            for duplicate, other in zip(hit["near_duplicates"], group.others, strict=True):
                duplicate["file"] = self.file(photos, other.row)
        return described


@dataclass(frozen=True)
class SearchOptions:
    """Hold what `Searcher.search` takes besides the query."""

    where: PhotoFilter
    k: int
    group_duplicates: bool


def batch_search(
    searcher: Searcher,
    files: Sequence[Path],
    options: SearchOptions,
    store: PhotoStore,
    *,
    batch_size: int,
    threads: int,
) -> Iterator[dict[str, Any]]:
    """Yield for each file, in order, `file`, `reason`, `hits` and `agreement` (JSON values).

    A file that can't be read has a reason and no hits.

    Args:
        searcher: the model and its index.
        files: photos to search with.
        options: filter and number of hits, the same for each.
        store: resolves the files of the hits.
        batch_size: photos per forward pass.
        threads: that decode photos.
    """
    vectors = predict_files(
        files,
        searcher.embedder.embeddings,
        searcher.predictor.model.preprocessing,
        batch_size=batch_size,
        threads=threads,
    )
    where, k, group_duplicates = options.where, options.k, options.group_duplicates
    with closing(vectors), progress_bar("search", "photo", len(files)) as progress:
        for file, vector in zip(files, vectors, strict=True):
            found: dict[str, Any] = {"file": str(file), "reason": ""}
            if isinstance(vector, PhotoError):
                yield found | {"reason": vector.reason, "hits": [], "agreement": None}
            else:
                result = searcher.search(vector, k, where=where, group_duplicates=group_duplicates)
                yield found | store.describe(searcher.index.table, result.groups)
            progress.update()


def count_reasons(found: Sequence[dict[str, Any]]) -> str:
    """Count the reasons of unreadable photos in one phrase; empty if there are none."""
    counts = Counter(photo["reason"] for photo in found if photo["reason"])
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
