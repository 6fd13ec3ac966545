"""Compare a standalone Milvus server with FAISS in this process: fill, latency, recall, filters.

`uvx` fetches the server (300 MB) unless `--uri` names one that runs.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import cpu_count, killpg
from pathlib import Path

import numpy as np

from benchmarks.app_server import free_port
from benchmarks.harness import table
from benchmarks.milvus import HITS, SEED, milliseconds, with_species
from benchmarks.scale_collection import mixture_of, write_vectors
from panthera_vision.cli.runner import run
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import write_text
from panthera_vision.search.index.backend import (
    IndexBackend,
    IndexSpec,
    RowFilter,
)
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.milvus_backend import MilvusBackend

VERSION = "2.3.5"
START_SECONDS = 300
QUERIES = 300
KINDS = {"Flat": "", "IVF1024,SQ8": "nprobe=64", "HNSW32": "efSearch=128"}
HEADER = [
    "index",
    "backend",
    "fill and build, s",
    "p50, ms",
    "p95, ms",
    "one of five species, p50, ms",
    "recall@10",
    "batch of 100, ms per query",
]


@dataclass
class MilvusServer:
    """Hold a standalone Milvus server that keeps its data in `folder` when it is killed."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Return the file with what the server prints, beside its data."""
        return self.folder.with_name("server.log")

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            UserError: it ended, or did not answer in `START_SECONDS`.
        """
        from pymilvus import MilvusClient, MilvusException

        uvx = find_uvx()
        if uvx is None:
            raise UserError("uvx, which fetches the server, is not installed")
        command = [uvx, "--quiet", "--from", f"milvus=={VERSION}", "milvus-server"]
        command += ["--data", str(self.folder), "--proxy-port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                client = MilvusClient(self.uri, timeout=5)
                client.list_collections()
                client.close()
                return
            except (MilvusException, OSError):
                time.sleep(1)
        said = self.log.read_text(errors="replace")[-1000:]
        raise UserError(f"Milvus {VERSION} did not start: {said}")

    def kill(self) -> None:
        """Kill the server and what it started."""
        if self.process is not None:
            killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def find_uvx() -> str | None:
    """Return the path of `uvx`: this environment's, or the system's."""
    return shutil.which("uvx", path=str(Path(sys.executable).parent)) or shutil.which("uvx")


@contextmanager
def milvus_server(folder: Path) -> Iterator[MilvusServer]:
    """Run a server on a free port, with its data in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    server = MilvusServer(folder, free_port())
    try:
        server.start()
        yield server
    finally:
        server.kill()


def measure(
    name: list[str],
    engine: IndexBackend,
    filled: float,
    queries: np.ndarray,
    truth: np.ndarray,
    selection: RowFilter,
) -> list[str]:
    """Return a row of the table."""
    one_by_one = milliseconds(lambda some: engine.search(some, HITS), queries)
    filtered = milliseconds(lambda some: engine.search(some, HITS, selection), queries[:100])
    start = time.perf_counter()
    engine.search(queries[:100], HITS)
    at_once = 1000 * (time.perf_counter() - start) / 100
    rows = engine.search(queries, HITS)[1]
    recall = np.mean(
        [len(set(one) & set(two)) / HITS for one, two in zip(rows, truth, strict=True)]
    )
    p50, p95 = np.quantile(one_by_one, [0.5, 0.95])
    times = [f"{filled:.0f}", f"{p50:.1f}", f"{p95:.1f}", f"{np.median(filtered):.1f}"]
    return [*name, *times, f"{recall:.3f}", f"{at_once:.1f}"]


def wait_for_index(uri: str, collection: str) -> None:
    """Wait until every vector is in the index: the server builds it after the fill."""
    from pymilvus import MilvusClient

    client = MilvusClient(uri)
    while True:
        (index,) = client.list_indexes(collection)
        state = client.describe_index(collection, index)
        if state.get("pending_index_rows", 0) == 0 and state.get("state") in ("Finished", 3):
            break
        time.sleep(1)
    client.release_collection(collection)
    client.load_collection(collection)
    client.close()


def compare(vectors: np.ndarray, queries: np.ndarray, uri: str) -> list[list[str]]:
    """Return the rows of both backends for each kind of index."""
    content, selection = with_species(vectors)
    lines: list[list[str]] = []
    truth = np.empty(0)
    for factory, search in KINDS.items():
        spec = IndexSpec(1.0, uri=uri, factory=factory, search=search)
        for name, kind in (("FAISS", FaissBackend), ("Milvus", MilvusBackend)):
            start = time.perf_counter()
            engine = kind.build(content, spec, Path("faiss_index"))
            if isinstance(engine, MilvusBackend):
                wait_for_index(uri, engine.collection)
            filled = time.perf_counter() - start
            if not truth.size:
                truth = engine.search(queries, HITS)[1]
            described = [f"`{factory}`{f', `{search}`' if search else ''}", name]
            lines.append(measure(described, engine, filled, queries, truth, selection))
            print(lines[-1], flush=True)
            engine.close()
    return lines


def main(arguments: argparse.Namespace) -> str:
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
        file = Path(name) / "vectors.npy"
        mixture = mixture_of(arguments.data)
        write_vectors(mixture, arguments.photos + QUERIES, file)
        drawn = np.load(file, mmap_mode="r")
        order = np.random.default_rng(SEED).permutation(len(drawn))
        queries = drawn[np.sort(order[:QUERIES])]
        vectors = drawn[np.sort(order[QUERIES:])]
        if arguments.uri:
            lines = compare(vectors, queries, arguments.uri)
        else:
            with milvus_server(Path(name) / "milvus") as server:
                lines = compare(vectors, queries, server.uri)
    text = f"""# FAISS and a Milvus server

`python -m benchmarks.milvus_server`: {len(vectors):,} photos, {QUERIES} queries one by one; \
standalone Milvus {VERSION}, on the same {cpu_count()} processors as its client. Vectors: \
{mixture.origin}. Fill and build of Milvus ends when its index has every vector.

{table(HEADER, lines)}
"""
    write_text(arguments.out, text)
    return f"milvus_server: {arguments.out}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.milvus_server", description=__doc__)
parser.add_argument("data", type=Path, help="folder of photos to make the vectors like theirs")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--photos", type=int, default=100_000, help="default: %(default)s")
parser.add_argument("--uri", help="of a server that runs; default: one is started")
parser.add_argument("--scratch", type=Path, help="folder for vectors and the server's data")

if __name__ == "__main__":
    run(main, parser)
