"""Measure incremental index updates, and check that they equal a full run.

Photos are added, replaced and deleted, and only new ones are embedded. Then everything is embedded
from scratch, and the two indexes are compared byte for byte. Meanwhile another thread searches, as
an app would.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pandas as pd

from benchmarks.harness import table
from panthera_vision.cli.runner import run
from panthera_vision.errors import UserError
from panthera_vision.images.folders import photos_below
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import sha256_of_file, write_text
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.search.embedding.cache import create_cache
from panthera_vision.search.embedding.embed_collection import (
    EmbeddingCounts,
    PhotoFiles,
    cache_key,
    collection_vectors,
    embed_collection,
)
from panthera_vision.search.index.backend import IndexSpec
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.photo_index import INDEX_FILES, load_index
from panthera_vision.search.live_index import LiveIndex

REPOSITORY = Path(__file__).resolve().parents[1]
PHOTOS = REPOSITORY / "cv-classification-dvc-pipeline" / "data" / "dataset_images"
MODEL = REPOSITORY / "image-search-dvc-pipeline" / "model_weights" / "best_model.pth"
COLLECTION = 5600
NEW = 100
DELETED = 20
REPLACED = 10
BATCH = 32
THREADS = 2
DUPLICATES = 0.94
HEADER = ["run", "photos", "embedded", "cached", "removed", "embedding, s", "index, s"]


@dataclass
class SearchLog:
    """Record the searches that ran while indexes were built."""

    count: int = 0
    longest: float = 0.0
    sizes: set[int] = field(default_factory=set)

    def wait_for(self, size: int, seconds: float = 60) -> None:
        """Wait until an index of so many photos has been searched, or the time is up."""
        end = time.monotonic() + seconds
        while size not in self.sizes and time.monotonic() < end:
            time.sleep(0.1)


@contextmanager
def searching(model: Path, index: Path) -> Iterator[SearchLog]:
    """Search continuously in a thread; raises its failure at the end."""
    searches, done, failures = SearchLog(), Event(), list[Exception]()

    def search_forever() -> None:
        service = LiveIndex(model, index)
        try:
            while not done.wait(0.05):
                start = time.perf_counter()
                search, _ = service.searcher()
                hits = search.index.search(search.index.vector(0), 10)
                if len(hits) != 10:
                    raise UserError(f"{len(hits)} of 10 photos came back")
                searches.count += 1
                searches.longest = max(searches.longest, time.perf_counter() - start)
                searches.sizes.add(len(search.index.table))
        except Exception as failure:
            failures.append(failure)

    thread = Thread(target=search_forever)
    thread.start()
    try:
        yield searches
    finally:
        done.set()
        thread.join()
    if failures:
        raise failures[0]


def distinct_files(photos: list[Path], count: int, folder: Path) -> list[Path]:
    """Write `count` files with distinct bytes, by appending a number to copies of the photos.

    Bytes after the end of the image do not change its pixels.
    """
    files = []
    for number in range(count):
        original = photos[number % len(photos)]
        files.append(folder / f"{number:06d}{original.suffix}")
        files[-1].write_bytes(original.read_bytes() + str(number).encode())
    return files


class Collection:
    """Hold an embedding cache and an index, made as the stages of the pipeline make them."""

    def __init__(self, predictor: Predictor, folder: Path) -> None:
        self._predictor = predictor
        self._store = folder / "embeddings"
        self.index = folder / "index"

    def update(self, files: list[Path], name: str) -> tuple[EmbeddingCounts, list[str]]:
        """Update the collection to `files`; returns the counts and a row of the table."""
        model = self._predictor.model
        start = time.perf_counter()
        hashes = [sha256_of_file(file) for file in files]
        store = create_cache(self._store, cache_key(model))
        embedded = embed_collection(
            self._predictor, PhotoFiles(hashes, files), store, batch_size=BATCH, threads=THREADS
        )
        between = time.perf_counter()
        photos = pd.DataFrame({"id": [file.stem for file in files], "sha256": hashes})
        with collection_vectors(store, hashes, model, self.index) as vectors:
            build_index(vectors, photos, model, self.index, IndexSpec(DUPLICATES))
        end = time.perf_counter()
        counts = (len(files), embedded.new, embedded.kept, embedded.removed)
        seconds = [f"{between - start:.1f}", f"{end - between:.1f}"]
        return embedded, [name, *(f"{count:,}" for count in counts), *seconds]

    def files(self) -> dict[str, str]:
        """Return the SHA-256 of each file of the index."""
        return {file.name: sha256_of_file(file) for file in sorted(self.index.iterdir())}


def incremental_section(
    photos: Path = PHOTOS, model: Path = MODEL, collection: int = COLLECTION
) -> str:
    """Return the section "Incremental updates" in Markdown.

    Args:
        photos: a folder of real photos.
        model: the checkpoint that embeds.
        collection: the initial number of photos.

    Raises:
        UserError: if the result differs from a full run, or cached photos were embedded again.
    """
    predictor = Predictor(load_checkpoint(model))
    real = photos_below(photos)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        files = distinct_files(real, collection + NEW + REPLACED, folder / "photos")
        at_first, new, other = files[:collection], files[collection:-REPLACED], files[-REPLACED:]
        grown = Collection(predictor, folder / "grown")
        lines = [grown.update(at_first, "first")[1]]
        with searching(model, grown.index) as searches:
            added, line = grown.update([*at_first, *new], f"{NEW} new")
            lines.append(line)
            for file, replacement in zip(at_first, other, strict=False):
                replacement.replace(file)
            last = [*at_first, *new][:-DELETED]
            changed, line = grown.update(last, f"{REPLACED} replaced, {DELETED} deleted")
            lines.append(line)
            searches.wait_for(len(last))
        full = Collection(predictor, folder / "full")
        lines.append(full.update(last, "from scratch")[1])
        if (added.new, changed.new, changed.removed) != (NEW, REPLACED, REPLACED + DELETED):
            raise UserError(f"cached photos were embedded again: {added}, {changed}")
        if grown.files() != full.files():
            raise UserError("the incremental index differs from the full run")
        if searches.sizes != {collection, collection + NEW, len(load_index(grown.index).table)}:
            raise UserError(f"the searches saw collections of {sorted(searches.sizes)} photos")
    names = ", ".join(f"`{name}`" for name in INDEX_FILES)
    return "\n\n".join(
        [
            "## Incremental updates",
            f"`python -m benchmarks.incremental`: {collection:,} files made from {len(real):,} "
            "real photos, made distinct by trailing bytes; "
            f"{predictor.model.backbone.name}, {platform.machine()}, {os.cpu_count()} processors.",
            table(HEADER, lines),
            f"The incremental index equals that of the full run byte for byte ({names}). Another "
            f"thread searched meanwhile: {searches.count:,} searches with ten results each, none "
            f"missing; the longest took {searches.longest:.2f} s, while a new index was loaded.",
        ]
    )


def main(arguments: argparse.Namespace) -> str:
    text = incremental_section(arguments.photos, arguments.model, arguments.collection)
    if arguments.out:
        write_text(arguments.out, text + "\n")
    return text


parser = argparse.ArgumentParser(prog="python -m benchmarks.incremental", description=__doc__)
parser.add_argument("--photos", type=Path, default=PHOTOS, help="real photos; %(default)s")
parser.add_argument("--model", type=Path, default=MODEL, help="the checkpoint; %(default)s")
parser.add_argument(
    "--collection", type=int, default=COLLECTION, help="number of photos; %(default)s"
)
parser.add_argument("--out", type=Path, help="write the section there as well")

if __name__ == "__main__":
    run(main, parser)
