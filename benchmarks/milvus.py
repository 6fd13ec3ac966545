"""Compare FAISS and Milvus Lite: equal results, build time and latency.

Needs pymilvus and milvus-lite. `benchmarks.milvus_server` measures a server.
"""

import argparse
import importlib.metadata
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.harness import table
from benchmarks.index_table import INDEX, mixture_of
from panthera_vision.cli.runner import run
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import write_text
from panthera_vision.search.filters import FilterColumns, PhotoFilter
from panthera_vision.search.index.backend import (
    IndexBackend,
    IndexContent,
    IndexSpec,
    RowFilter,
)
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.milvus_backend import VECTOR, MilvusBackend
from panthera_vision.search.index.milvus_syntax import CODED_COLUMNS, DAY, ROW

SIZES = (1_000, 20_000)
QUERIES = 50
HITS = 10
SEED = 29
# For the unflushed collection, where a query takes seconds.
FEW_QUERIES = 3
SPECIES = tuple(f"species {number}" for number in range(5))
HEADER = [
    "photos",
    "backend",
    "build, s",
    "median, ms",
    "95th percentile, ms",
    "filtered by species, median, ms",
    "batch of 20, ms per query",
]


def milliseconds(search: Callable[[np.ndarray], object], queries: np.ndarray) -> np.ndarray:
    """Time each query (Q,), after a warm-up."""
    search(queries[:1])
    taken = []
    for query in queries:
        start = time.perf_counter()
        search(query[None])
        taken.append(1000 * (time.perf_counter() - start))
    return np.array(taken)


def measure(
    name: str, engine: IndexBackend, filled: float, queries: np.ndarray, selection: RowFilter
) -> list[str]:
    """Return a row of the table."""
    one_by_one = milliseconds(lambda some: engine.search(some, HITS), queries)
    filtered = milliseconds(lambda some: engine.search(some, HITS, selection), queries)
    start = time.perf_counter()
    engine.search(queries[:20], HITS)
    at_once = 1000 * (time.perf_counter() - start) / 20
    return [
        f"{len(engine):,}",
        name,
        f"{filled:.1f}",
        f"{np.median(one_by_one):.1f}",
        f"{np.quantile(one_by_one, 0.95):.1f}",
        f"{np.median(filtered):.1f}",
        f"{at_once:.1f}",
    ]


def without_flush(vectors: np.ndarray, queries: np.ndarray, folder: Path) -> float:
    """Measure the median milliseconds of a search in the unflushed write-ahead log."""
    from pymilvus import DataType, MilvusClient

    client = MilvusClient(str(folder / "journal.db"))
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(ROW, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=vectors.shape[1])
    for column in (*CODED_COLUMNS, DAY):
        schema.add_field(column, DataType.INT64)
    index = client.prepare_index_params()
    index.add_index(VECTOR, index_type="FLAT", metric_type="IP")
    client.create_collection("journal", schema=schema, index_params=index)
    rest = dict.fromkeys((*CODED_COLUMNS, DAY), 0)
    for start in range(0, len(vectors), 1000):
        some = range(start, min(start + 1000, len(vectors)))
        client.insert("journal", [{ROW: row, VECTOR: vectors[row]} | rest for row in some])
    taken = milliseconds(
        lambda some: client.search("journal", data=list(some), limit=HITS, output_fields=[ROW]),
        queries[:FEW_QUERIES],
    )
    client.close()
    return float(np.median(taken))


def require_same(exact: IndexBackend, other: IndexBackend, queries: np.ndarray) -> None:
    """Check that both backends find equally similar photos.

    Raises:
        UserError: if they do not.
    """
    for one, two in zip(
        exact.search(queries, HITS)[0], other.search(queries, HITS)[0], strict=True
    ):
        if not np.allclose(one, two, atol=1e-5):
            raise UserError("Milvus and exact search find different photos")


def with_species(vectors: np.ndarray) -> tuple[IndexContent, RowFilter]:
    """Return the vectors with photos of five species in turn, and a filter for the first."""
    species = [SPECIES[row % len(SPECIES)] for row in range(len(vectors))]
    photos = pd.DataFrame({"id": range(len(vectors)), "species": species})
    wanted = PhotoFilter(species=SPECIES[:1])
    selection = RowFilter(FilterColumns(photos).matching_rows(wanted), wanted)
    return IndexContent(vectors, photos), selection


def compare(drawn: np.ndarray) -> tuple[list[list[str]], float]:
    """Return the rows of both backends, and the latency without flush; the last are queries."""
    count = len(drawn) - QUERIES
    vectors, queries = drawn[:count], drawn[count:]
    content, selection = with_species(vectors)
    start = time.perf_counter()
    spec = IndexSpec(1.0, uri="milvus.db", factory="Flat")
    exact = FaissBackend.build(content, spec, Path())
    lines = [measure("FAISS, exact", exact, time.perf_counter() - start, queries, selection)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "faiss_index"
        start = time.perf_counter()
        engine = MilvusBackend.build(content, spec, folder)
        filled = time.perf_counter() - start
        require_same(exact, engine, queries)
        lines.append(measure("Milvus Lite, FLAT", engine, filled, queries, selection))
        engine.close()
        return lines, without_flush(vectors, queries, Path(name))


def milvus_section(index: Path = INDEX, sizes: tuple[int, ...] = SIZES) -> str:
    """Return the section "FAISS and Milvus Lite" in Markdown."""
    mixture, described = mixture_of(index)
    lines: list[list[str]] = []
    journals = []
    for size in sizes:
        some, journal = compare(np.concatenate(list(mixture.draw(size + QUERIES, SEED))))
        lines += some
        journals.append(f"{journal / 1000:.1f} s per query with {size:,} photos")
    versions = " and ".join(
        f"{package} {importlib.metadata.version(package)}"
        for package in ("pymilvus", "milvus-lite")
    )
    return "\n\n".join(
        [
            "## FAISS and Milvus Lite",
            f"`python -m benchmarks.milvus`: {versions}, {platform.machine()}, {os.cpu_count()} "
            f"processors, load average {os.getloadavg()[0]:.1f} at the end. Vectors: {described}",
            table(HEADER, lines),
            "Milvus Lite returns the results of exact search (checked for every query). Without "
            f"`flush`, its vectors stay in a write-ahead log that is searched in Python: "
            f"{', '.join(journals)}. `build_index` therefore flushes.",
        ]
    )


def main(arguments: argparse.Namespace) -> str:
    text = milvus_section(arguments.index)
    if arguments.out:
        write_text(arguments.out, text + "\n")
    return text


parser = argparse.ArgumentParser(prog="python -m benchmarks.milvus", description=__doc__)
parser.add_argument("--index", type=Path, default=INDEX, help="of real photos; %(default)s")
parser.add_argument("--out", type=Path, help="also write the section to this file")

if __name__ == "__main__":
    run(main, parser)
