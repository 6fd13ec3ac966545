"""Measure how the cost of each stage grows with the collection: 1,000 to 100,000 photos, or more.

The collections are synthetic: vectors around those of real photos, of which 2% are near-duplicates
of another, and a table with as many observers, days and places. Each stage runs in a process of
its own. The stages that pass photos through a network are linear and are not measured.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks.harness import table
from benchmarks.scale_collection import (
    COPIES,
    VECTORS,
    mixture_of,
    write_collection,
    write_vectors,
)
from benchmarks.scale_stages import STAGES, Found
from panthera_vision.cli.runner import run
from panthera_vision.io.atomic import write_text
from panthera_vision.search.duplicates import COMPARED_EXACTLY
from panthera_vision.search.index.choose_factory import EXACT_UP_TO

SIZES = [1_000, 10_000, 100_000]
# A stage of so many CPU seconds or less is not judged by its growth: that is start and noise.
_NEGLIGIBLE = 2.0
# Of the smaller collection, less can't be told from the noise of the start.
_NOISE = 0.5
_ALLOWED_GROWTH = 12.0  # a decade: 1.2 times the work
_SAMPLING_SECONDS = 0.02
_COSTS = ("cpu_s", "peak_mb", "anonymous_mb")


def measure(stage: str, folder: Path) -> Found:
    """Run a stage in a process of its own; return what it printed, and its peak memory.

    `anonymous_mb` is memory that no file backs: pages of mapped files are given back when another
    process needs them.
    """
    command = [sys.executable, "-m", "benchmarks.scale_stages", stage, str(folder)]
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as errors:
        started = subprocess.Popen(command, stdout=printed, stderr=errors)
        process, anonymous = psutil.Process(started.pid), 0
        while started.poll() is None:
            with suppress(psutil.NoSuchProcess):
                memory = process.memory_info()
                anonymous = max(anonymous, memory.rss - memory.shared)
            time.sleep(_SAMPLING_SECONDS)
        for file in (printed, errors):
            file.seek(0)
        if started.returncode:
            raise RuntimeError(f"{stage} failed: {errors.read()[-2000:]}")
        found: Found = json.loads(printed.read().splitlines()[-1])
    return found | {"anonymous_mb": anonymous / 2**20}


def main(arguments: argparse.Namespace) -> str:
    mixture = mixture_of(arguments.data)
    stages = [name for name in STAGES if name == "start" or name in arguments.stages]
    found: dict[int, dict[str, Found]] = {}
    for count in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.scratch) as name:
            folder = Path(name)
            write_vectors(mixture, count, folder / VECTORS)
            write_collection(count, folder)
            found[count] = {}
            for stage in stages:
                found[count][stage] = measure(stage, folder)
                print(f"{count:,} photos, {stage}: {found[count][stage]}", flush=True)
    write_text(arguments.out, page(found, mixture.origin))
    slow = [
        f"{stage} {growth:.0f} times"
        for stage in stages
        if stage != "precise_search"  # exact below, measured above
        for growth in growths(found, stage, 10_000, 100_000)
        if growth > _ALLOWED_GROWTH
    ]
    verdict = (
        f"; faster than the collection from 10,000 to 100,000: {', '.join(slow)}" if slow else ""
    )
    return f"scale: {arguments.out}{verdict}"


def start_seconds(found: dict[int, dict[str, Found]]) -> float:
    """Return the CPU time of the imports: the least that was measured, as the rest is noise."""
    return min(float(stages["start"]["cpu_s"]) for stages in found.values())


def growths(
    found: dict[int, dict[str, Found]], stage: str, smaller: int, larger: int
) -> list[float]:
    """Return by what factor the CPU time beyond that of the start grew; nothing if negligible."""
    if smaller not in found or larger not in found:
        return []
    start = start_seconds(found)
    few, many = (float(found[count][stage]["cpu_s"]) - start for count in (smaller, larger))
    return [many / max(few, _NOISE)] if many > _NEGLIGIBLE else []


def page(found: dict[int, dict[str, Found]], origin: str) -> str:
    """Return the page in Markdown."""
    sizes = list(found)
    stages = list(found[sizes[0]])
    rows = []
    for stage in stages:
        description = STAGES[stage]
        row = [f"`{stage}`: {description}"]
        row += [
            "{cpu_s:.1f} / {anonymous_mb:,.0f} / {peak_mb:,.0f}".format_map(found[n][stage])
            for n in sizes
        ]
        for smaller, larger in pairwise(sizes):
            growth = growths(found, stage, smaller, larger)
            row.append(f"{growth[0]:.1f}" if growth else "")
        rows.append(row)
    header = ["CPU s / peak MB / with mapped files", *(f"{count:,}" for count in sizes)]
    header += [f"growth to {count:,}" for count in sizes[1:]]
    timed = []
    for key in sorted({key for count in sizes for stage in stages for key in found[count][stage]}):
        if key in _COSTS:
            continue
        values = [next((str(of[key]) for of in found[n].values() if key in of), "") for n in sizes]
        timed.append([key, *values])
    imports = start_seconds(found)
    return f"""# How the cost grows with the collection

Written by `make benchmark-scale`; `OPTIONS="--sizes 1000 10000 100000 1000000"` measures a million.

- vectors: {origin}; {COPIES:.0%} are near-duplicates
- machine: {platform.machine()}; CPU seconds of all cores, with {imports:.1f} s of imports in \
each stage; peak anonymous memory, and peak RSS with memory-mapped files, which the system can \
reclaim
- growth: of the CPU seconds beyond the imports, 10 is linear; empty where they are at most \
{_NEGLIGIBLE:.0f} s; those of the smaller collection count as {_NOISE} s at least. \
`precise_search` is exact for the smaller, and is not judged
- up to {COMPARED_EXACTLY:,} photos near-duplicates are found by comparing every pair, and up to \
{EXACT_UP_TO:,} the index is exact; above, photos are compared with those of neighboring inverted \
lists, and the index is an IVF: both are linear

{table(header, rows)}

## Search and clicks

{table(["", *(f"{count:,}" for count in sizes)], timed)}
"""


parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
parser.add_argument("data", type=Path, help="folder of photos to make the vectors like theirs")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="default: %(default)s")
parser.add_argument(
    "--stages", nargs="+", choices=list(STAGES), default=list(STAGES), help="default: all"
)
parser.add_argument("--scratch", type=Path, help="folder for the collections; 7 GB for a million")

if __name__ == "__main__":
    run(main, parser)
