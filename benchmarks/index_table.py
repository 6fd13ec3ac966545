"""Compare FAISS index types by size: recall, latency, memory, and the overhead over FAISS.

Vectors and queries are drawn from a mixture fitted to real embeddings. Queries are not indexed.
Every index is built and searched as `build_index` and the apps do it.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import faiss
import numpy as np
import pandas as pd

from benchmarks.harness import table
from benchmarks.mixture import Mixture, assumed_mixture, fitted_mixture
from panthera_vision.cli.runner import run
from panthera_vision.io.atomic import write_text
from panthera_vision.io.progress import progress_bar
from panthera_vision.search.index.backend import IndexContent, IndexSpec, RowFilter
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.faiss_build import omp_threads, untyped_faiss
from panthera_vision.search.index.manifest import IndexManifest
from panthera_vision.search.index.photo_index import PhotoIndex, load_index

INDEX = Path(__file__).resolve().parents[1] / "image-search-dvc-pipeline" / "faiss_index"
DIMENSION = 1280
NEAREST = 10
SEED = 17
QUERIES = 100
BATCH = 100
# Factory and search settings by the number of vectors. HNSW, whose graph is built by one thread, is
# left out if that takes longer than all others together, and refined codes if they need more memory
# than Flat.
KINDS = {
    10_000: [
        ("Flat", ""),
        ("SQfp16", ""),
        ("SQ8", ""),
        ("HNSW32", "efSearch=128"),
        ("IVF128,SQ8", "nprobe=16"),
        ("IVF128,PQ64", "nprobe=16"),
        ("IVF128,PQ64,RFlat", "nprobe=16,k_factor_rf=10"),
    ],
    100_000: [
        ("Flat", ""),
        ("SQfp16", ""),
        ("SQ8", ""),
        ("IVF1024,SQ8", "nprobe=32"),
        ("IVF1024,PQ64", "nprobe=32"),
        ("IVF1024,PQ64,RFlat", "nprobe=32,k_factor_rf=10"),
    ],
    1_000_000: [
        ("Flat", ""),
        ("IVF1024,SQ8", "nprobe=32"),
        ("IVF1024,PQ64", "nprobe=32"),
    ],
}
HEADER = [
    "photos",
    "`index.factory`",
    "`index.search`",
    f"recall@{NEAREST}",
    "p50, ms",
    "p95, ms",
    "batch, ms per query",
    "filtered, p50, ms",
    "memory, MB",
    "build, s",
]
OVERHEAD_HEADER = ["photos", "index", "FAISS, ms", "search, ms", "overhead, µs", "overhead, %"]


@dataclass(frozen=True)
class Measured:
    """Hold the measurements of one index type at one size."""

    rows: list[str]
    overhead: list[str]
    nearest: np.ndarray


def milliseconds(searches: list[Callable[[], object]], warm_ups: int = 3) -> np.ndarray:
    """Time each search, after some uncounted ones."""
    taken = []
    for search in searches[:warm_ups] + searches:
        start = time.perf_counter()
        search()
        taken.append(1e3 * (time.perf_counter() - start))
    return np.array(taken[warm_ups:])


def megabytes(index: faiss.Index) -> float:
    """Measure the serialized size of an index, which is about what it keeps in memory."""
    written = 0

    def count(block: bytes) -> None:
        nonlocal written
        written += len(block)

    writer = untyped_faiss.PyCallbackIOWriter(count)
    faiss.write_index(index, writer)
    del writer  # flushes its buffer
    return written / 1e6


def measure(
    vectors: np.ndarray,
    queries: np.ndarray,
    factory: str,
    search: str,
    nearest: np.ndarray | None,
) -> Measured:
    """Build and search one index type; without `nearest`, this one is exact and defines them."""
    start = time.perf_counter()
    spec = IndexSpec(1.0, factory=factory, search=search)
    engine = FaissBackend.build(IndexContent(vectors, pd.DataFrame()), spec, Path())
    built = time.perf_counter() - start
    _, found = engine.search(queries, NEAREST)
    nearest = found if nearest is None else nearest
    right = [len(set(a) & set(b)) for a, b in zip(found.tolist(), nearest.tolist(), strict=True)]
    one_by_one = [query[None] for query in queries]
    alone = milliseconds([partial(engine.search, query, NEAREST) for query in one_by_one])
    batch = queries[:BATCH]
    together = milliseconds([partial(engine.search, batch, NEAREST)] * 2, warm_ups=1)
    # A twentieth of the photos, as a filter by species or observer might leave.
    some = RowFilter(np.arange(0, len(vectors), 20))
    filtered = milliseconds([partial(engine.search, q, NEAREST, some) for q in one_by_one[:30]])
    rows = [
        f"{len(vectors):,}",
        factory,
        search,
        f"{np.mean(right) / NEAREST:.3f}",
        f"{np.median(alone):.2f}",
        f"{np.quantile(alone, 0.95):.2f}",
        f"{np.median(together) / len(batch):.2f}",
        f"{np.median(filtered):.2f}",
        f"{megabytes(engine.faiss_index):,.0f}",
        f"{built:,.1f}",
    ]
    return Measured(rows, overhead(engine, queries, factory), nearest)


def overhead(engine: FaissBackend, queries: np.ndarray, factory: str) -> list[str]:
    """Compare one query through `PhotoIndex.search` and through FAISS, interleaved.

    Measures the CPU time of the thread, which other programs affect little.
    """
    index = as_photo_index(engine)
    inner = engine.faiss_index

    def by_faiss(query: np.ndarray) -> None:
        inner.search(query[None], NEAREST)

    def by_index(query: np.ndarray) -> None:
        index.search(query, NEAREST)

    turns = 400 if len(engine) * (factory == "Flat") <= 10_000 else 100
    taken: dict[Callable[[np.ndarray], None], list[float]] = {by_faiss: [], by_index: []}
    with omp_threads(1):  # as in `PhotoIndex.search`
        for number in range(turns):
            query = queries[number % len(queries)]
            # The second one finds the vectors in the CPU cache, so they take turns.
            for way in (by_faiss, by_index) if number % 2 else (by_index, by_faiss):
                start = time.thread_time()
                way(query)
                taken[way].append(1e3 * (time.thread_time() - start))
    alone, ours = (float(np.median(taken[way])) for way in (by_faiss, by_index))
    return [
        f"{len(engine):,}",
        factory,
        f"{alone:.3f}",
        f"{ours:.3f}",
        f"{1e3 * (ours - alone):.0f}",
        f"{100 * (ours / alone - 1):.1f}",
    ]


def as_photo_index(engine: FaissBackend) -> PhotoIndex:
    note = IndexManifest("", "", engine.dimension, len(engine), "", "")
    return PhotoIndex(engine, pd.DataFrame(index=range(len(engine))), note)


def nearest_similarities(vectors: np.ndarray) -> str:
    """Format the median similarity to the 1st and 10th neighbor, and between any two vectors."""
    products = vectors @ vectors.T
    np.fill_diagonal(products, -1)
    ordered = np.sort(products, axis=1)
    any_two = np.median(products[np.triu_indices(len(products), 1)])
    return f"{np.median(ordered[:, -1]):.2f}, {np.median(ordered[:, -10]):.2f}, {any_two:.2f}"


def mixture_of(index: Path) -> tuple[Mixture, str]:
    """Return the mixture to draw from, and a description of how close it is to real vectors."""
    if not (index / "index.json").exists():
        mixture = assumed_mixture(DIMENSION)
        return mixture, mixture.origin
    # The columns after the features are class probabilities.
    loaded = load_index(index)
    real = loaded.backend.vectors_at(np.arange(len(loaded.table)))[:, :DIMENSION]
    real = real / np.linalg.norm(real, axis=1, keepdims=True)
    mixture = fitted_mixture(real)
    drawn = np.concatenate(list(mixture.draw(len(real), SEED + 2)))
    return mixture, (
        f"{mixture.origin}; median similarity of a photo to its nearest neighbor, its tenth and a "
        f"random photo: {nearest_similarities(real)} for the real photos, "
        f"{nearest_similarities(drawn)} for as many synthetic ones"
    )


def index_table(index: Path = INDEX, sizes: tuple[int, ...] = tuple(KINDS)) -> str:
    """Return the section "Index types" in Markdown.

    Args:
        index: an index of real photos, to which the mixture is fitted.
        sizes: numbers of vectors, of those of `KINDS`.
    """
    mixture, origin = mixture_of(index)
    queries = np.concatenate(list(mixture.draw(QUERIES, SEED + 1)))
    rows: list[list[str]] = []
    overheads: list[list[str]] = []
    start = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        progress_bar("index types", "index", sum(len(KINDS[size]) for size in sizes)) as progress,
    ):
        for size in sizes:
            path = Path(folder) / "vectors.npy"
            mixture.write(size, SEED, path)
            # Memory-mapped as in `build_index`, so that the vectors are in memory once at most.
            vectors = np.load(path, mmap_mode="r")
            nearest = None
            for factory, search in KINDS[size]:
                measured = measure(vectors, queries, factory, search, nearest)
                nearest = measured.nearest
                rows.append(measured.rows)
                overheads.append(measured.overhead)
                progress.update(1)
            del vectors
            path.unlink()
    minutes = (time.perf_counter() - start) / 60
    return "\n\n".join(
        [
            "## Index types",
            f"`python -m benchmarks.index_table`, {minutes:.0f} minutes. "
            f"{mixture.centers.shape[1]:,}-dimensional vectors, seed {SEED}: {origin}. {QUERIES} "
            "queries that are not in the index; one core per query. *Filtered*: among a twentieth "
            "of the photos. *Memory*: of the FAISS index; compressed indexes also keep the vectors "
            "in a memory-mapped file, 5.12 GB per million, for near-duplicates. Bold: the choice "
            f"of `auto`. {machine()}",
            table(HEADER, rows),
            f"### Overhead over FAISS\n\nThe {NEAREST} nearest photos of one "
            "query: `PhotoIndex.search` and FAISS's `search`, interleaved, on one core; "
            "median CPU time.",
            table(OVERHEAD_HEADER, overheads),
        ]
    )


def machine() -> str:
    """Describe the machine."""
    return (
        f"FAISS {faiss.__version__}, {platform.machine()}, {os.cpu_count()} processors, load "
        f"average {os.getloadavg()[0]:.1f} at the end."
    )


def main(arguments: argparse.Namespace) -> str:
    text = index_table(arguments.index, tuple(arguments.size))
    if arguments.out:
        write_text(arguments.out, text + "\n")
    return text


parser = argparse.ArgumentParser(prog="python -m benchmarks.index_table", description=__doc__)
parser.add_argument("--index", type=Path, default=INDEX, help="of real photos; %(default)s")
parser.add_argument(
    "--size", type=int, nargs="+", choices=list(KINDS), default=list(KINDS), help="%(default)s"
)
parser.add_argument("--out", type=Path, help="also write the section to this file")

if __name__ == "__main__":
    run(main, parser)
