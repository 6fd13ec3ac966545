"""Search with many photo files: embed them in batches, list similar photos (`panthera search`)."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from typing import Any

import pandas as pd

from panthera_vision.batch.batch_items import BatchItems
from panthera_vision.batch.camera_columns import camera_columns
from panthera_vision.batch.output_formats import BOX_COLUMNS
from panthera_vision.batch.predict_files import FileOutput, predict_files
from panthera_vision.data.coordinates import Coordinates
from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_path
from panthera_vision.io.progress import progress_bar
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index.photo_index import Hit
from panthera_vision.search.results import HitGroup, describe_hits
from panthera_vision.search.searcher import Searcher

_SHOWN = ("answer", "reason")


def describe_with_files(
    photos: pd.DataFrame,
    groups: Sequence[HitGroup],
    index: Path,
    roots: Sequence[Path],
    coordinates: Coordinates = "exact",
) -> dict[str, Any]:
    """Return `describe_hits` as JSON values, with the path of each photo as `file`.

    Args:
        photos: the index's table; a photo without a file has an empty path.
        groups: the hits.
        index: the index's folder.
        roots: the folders in which the photos may lie (`photo_folders`).
        coordinates: as in `describe_hits`.

    Raises:
        UserError: a path leads out of the pipeline's photo folders (path traversal).
    """

    def file(hit: Hit) -> str:
        name = str(photos["file"].iat[hit.row]) if "file" in photos else ""
        return str(photo_path(name, index, roots).resolve()) if name else ""

    described = describe_hits(photos, groups, coordinates).model_dump()
    for found, group in zip(described["hits"], groups, strict=True):
        found["file"] = file(group.best)
        for duplicate, other in zip(found["near_duplicates"], group.others, strict=True):
            duplicate["file"] = file(other)
    return described


@dataclass(frozen=True)
class SearchOptions:
    """Hold the index's folder, what `Searcher.search` takes besides the query, and the output's
    coordinates."""

    index: Path
    where: PhotoFilter
    k: int
    group_duplicates: bool
    coordinates: Coordinates = "exact"


def batch_search(
    searcher: Searcher,
    items: BatchItems,
    options: SearchOptions,
    *,
    batch_size: int,
    threads: int,
) -> Iterator[dict[str, Any]]:
    """Yield for each item, in order, what is known of it, `hits` and `agreement`, as JSON.

    What is known are `file`, `reason`, `note`, and `taken_at`, `latitude`, `longitude` of EXIF.

    An item that can't be read has a reason and no hits. With a detector's boxes, each has its
    columns besides; a photo without one, a person and a vehicle have an `answer` and no hits.

    Args:
        searcher: the model and its index.
        items: photos, or boxes on them, to search with.
        options: of every search.
        batch_size: photos per forward pass.
        threads: that decode photos.
    """
    listed, with_photo = tee(items)
    vectors = predict_files(
        (item.photo for item in with_photo if item.photo is not None),
        searcher.embedder.embeddings,
        searcher.embedder.preprocessing,
        batch_size=batch_size,
        threads=threads,
    )
    # Read once: the folders are settings of the pipeline.
    roots = photo_folders(options.index.resolve().parent)
    where, k, group_duplicates = options.where, options.k, options.group_duplicates
    with closing(vectors), progress_bar("search", "photo", len(items)) as progress:
        for item in listed:
            found: dict[str, Any] = {"file": str(item.file), "reason": "", "note": ""}
            found |= {n: v for n, v in item.columns.items() if n in (*_SHOWN, *BOX_COLUMNS)}
            if not found["reason"]:  # else it may name a file that must not be opened
                found |= camera_columns(item.file, options.coordinates)
            vector = next(vectors) if item.photo is not None else None
            if isinstance(vector, FileOutput):
                found["note"] = vector.note
                result = searcher.search(
                    vector.value, k, where=where, group_duplicates=group_duplicates
                )
                yield found | describe_with_files(
                    searcher.index.table,
                    result.groups,
                    options.index,
                    roots,
                    options.coordinates,
                )
            else:
                reason = vector.reason if vector else found["reason"]
                yield found | {"reason": reason, "hits": [], "agreement": None}
            progress.update()
