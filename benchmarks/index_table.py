"""Which kind of index for how many photos: recall, latency, memory, and what search adds to FAISS.

Vectors are drawn as a collection's embeddings lie; those of the queries are drawn alike and are not
in the index. Every kind is built and searched as `build_index` and the apps do it.
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
# Factory and search settings by the number of vectors. HNSW, whose graph one thread builds, is left
# out where that takes longer than all the others together, and refined codes where they need more
# memory than Flat.
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
    "a query in a batch, ms",
    "filtered, p50, ms",
    "memory, MB",
    "built in, s",
]
OVERHEAD_HEADER = ["photos", "kind", "FAISS alone, ms", "search, ms", "added, µs", "added, %"]


@dataclass(frozen=True)
class Measured:
    """One kind of index at one size."""

    rows: list[str]
    overhead: list[str]
    nearest: np.ndarray


def milliseconds(searches: list[Callable[[], object]], warm_ups: int = 3) -> np.ndarray:
    """How long each of the searches takes, after some that are not counted."""
    taken = []
    for search in searches[:warm_ups] + searches:
        start = time.perf_counter()
        search()
        taken.append(1e3 * (time.perf_counter() - start))
    return np.array(taken[warm_ups:])


def megabytes(index: faiss.Index) -> float:
    """What an index holds, as FAISS would write it, which is what it keeps in memory."""
    written = 0

    def count(block: bytes) -> None:
        nonlocal written
        written += len(block)

    writer = untyped_faiss.PyCallbackIOWriter(count)
    faiss.write_index(index, writer)
    del writer  # hands over what it has buffered
    return written / 1e6


def measure(
    vectors: np.ndarray,
    queries: np.ndarray,
    factory: str,
    search: str,
    nearest: np.ndarray | None,
) -> Measured:
    """Build and search one kind; without `nearest`, it is the exact one that gives them."""
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
    # A twentieth of the photos: a species, say, or an observer's.
    some = RowFilter(np.arange(0, len(vectors), 20))
    filtered = milliseconds([partial(engine.search, q, NEAREST, some) for q in one_by_one[:30]])
    recommended = spec == IndexSpec(1.0).resolve(len(vectors))
    rows = [
        f"{len(vectors):,}",
        f"**{factory}**" if recommended else factory,
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
    """One query through the collection's search and through FAISS alone, turn and turn about.

    It is the thread's processor time, on which other programs have little hold.
    """
    index = as_photo_index(engine)
    inner = engine.faiss_index

    def by_faiss(query: np.ndarray) -> None:
        inner.search(query[None], NEAREST)

    def by_us(query: np.ndarray) -> None:
        index.search(query, NEAREST)

    turns = 400 if len(engine) * (factory == "Flat") <= 10_000 else 100
    taken: dict[Callable[[np.ndarray], None], list[float]] = {by_faiss: [], by_us: []}
    with omp_threads(1):  # as search does it
        for number in range(turns):
            query = queries[number % len(queries)]
            # Whoever comes second finds the vectors in the processor's cache.
            for way in (by_faiss, by_us) if number % 2 else (by_us, by_faiss):
                start = time.thread_time()
                way(query)
                taken[way].append(1e3 * (time.thread_time() - start))
    alone, ours = (float(np.median(taken[way])) for way in (by_faiss, by_us))
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
    """Median similarity to the 1st and 10th neighbour and between any two, of real or drawn."""
    products = vectors @ vectors.T
    np.fill_diagonal(products, -1)
    ordered = np.sort(products, axis=1)
    any_two = np.median(products[np.triu_indices(len(products), 1)])
    return f"{np.median(ordered[:, -1]):.2f}, {np.median(ordered[:, -10]):.2f}, {any_two:.2f}"


def mixture_of(index: Path) -> tuple[Mixture, str]:
    """Where vectors are drawn from, and in words how like the real ones they are."""
    if not (index / "index.json").exists():
        mixture = assumed_mixture(DIMENSION)
        return mixture, mixture.origin
    # Behind the features an embedding may have the classes.
    real = load_index(index).all_vectors()[:, :DIMENSION]
    real = real / np.linalg.norm(real, axis=1, keepdims=True)
    mixture = fitted_mixture(real)
    drawn = np.concatenate(list(mixture.draw(len(real), SEED + 2)))
    return mixture, (
        f"{mixture.origin}; median similarity of a photo to its nearest, to its tenth nearest and "
        f"to any other: {nearest_similarities(real)}, and of as many drawn ones: "
        f"{nearest_similarities(drawn)}"
    )


def index_table(index: Path = INDEX, sizes: tuple[int, ...] = tuple(KINDS)) -> str:
    """The section "Which index" of the benchmark, in Markdown.

    Args:
        index: an index of real photos; the vectors are drawn as its vectors lie.
        sizes: how many vectors; those of `KINDS`.
    """
    mixture, origin = mixture_of(index)
    queries = np.concatenate(list(mixture.draw(QUERIES, SEED + 1)))
    rows: list[list[str]] = []
    overheads: list[list[str]] = []
    start = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        progress_bar("index kinds", "kind", sum(len(KINDS[size]) for size in sizes)) as progress,
    ):
        for size in sizes:
            path = Path(folder) / "vectors.npy"
            mixture.write(size, SEED, path)
            # A map, as `build_index` has it: the vectors are in memory once at most.
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
            "## Which index",
            f"`python -m benchmarks.index_table`, {minutes:.0f} minutes. Vectors of "
            f"{mixture.centres.shape[1]:,} numbers, seed {SEED}: {origin}. {QUERIES} queries that "
            "are not in the index; one core a query. *Filtered*: among a twentieth of the photos. "
            "*Memory*: what FAISS holds; kinds that keep less than the vectors have these in a "
            "file besides, 5.12 GB a million, read where near-duplicates are told apart. Bold: "
            f"what `auto` takes. {machine()}",
            table(HEADER, rows),
            f"### What search adds to FAISS's own time\n\nThe {NEAREST} nearest photos of one "
            "query: `PhotoIndex.search` and FAISS's `search`, in turns, both on one core: "
            "median processor time.",
            table(OVERHEAD_HEADER, overheads),
        ]
    )


def machine() -> str:
    """What the times hang on."""
    return (
        f"FAISS {faiss.__version__}, {platform.machine()}, {os.cpu_count()} processors, load "
        f"{os.getloadavg()[0]:.1f} at the end."
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
parser.add_argument("--out", type=Path, help="write the section there as well")

if __name__ == "__main__":
    run(main, parser)
