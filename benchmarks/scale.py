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
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.harness import table
from benchmarks.mixture import Mixture, assumed_mixture, fitted_mixture
from benchmarks.scale_stages import COPIES, STAGES, VECTORS, planted_copies, write_collection
from panthera_vision.cli.runner import run
from panthera_vision.images.folders import photos_below
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import write_text
from panthera_vision.models.pretrained import pretrained_model
from panthera_vision.search.duplicates import COMPARED_EXACTLY
from panthera_vision.search.embedding.embedder import combine_vectors, padded_dimension
from panthera_vision.search.embedding.whitening import fit_whitening
from panthera_vision.search.index.choose_factory import EXACT_UP_TO

SIZES = [1_000, 10_000, 100_000]
NUMBERS = 1285  # of EfficientNet-Lite0 with five species, before padding
_MOST_REAL_PHOTOS = 2000
# A stage of so many CPU seconds or less is not judged by its growth: that is start and noise.
_NEGLIGIBLE = 2.0
_ALLOWED_GROWTH = 12.0  # a decade: 1.2 times the work


def mixture_of(data: Path) -> Mixture:
    """Fit the mixture to photos below `data`, or assume one if there are none."""
    files = photos_below(data)[:_MOST_REAL_PHOTOS] if data.is_dir() else []
    if not files:
        return assumed_mixture(NUMBERS)
    outputs = Predictor(pretrained_model(), precision="fp32").outputs_of_files(files, batch_size=32)
    features, logits = outputs.features.numpy(), outputs.logits.numpy()
    whitening = fit_whitening(features, logits.argmax(axis=1))
    return fitted_mixture(combine_vectors(features, logits, whitening)[:, :NUMBERS].copy())


def write_vectors(mixture: Mixture, count: int, path: Path) -> None:
    """Write vectors (N, padded dimension); near-duplicates are blends with another photo."""
    shape = (count, padded_dimension(NUMBERS))
    vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    start = 0
    for block in mixture.draw(count, seed=17):
        vectors[start : start + len(block), :NUMBERS] = block
        start += len(block)
    random = np.random.default_rng(17)
    for original, copy, other in zip(*planted_copies(count), strict=True):
        blend = vectors[original] + random.uniform(0.1, 0.6) * vectors[other]
        vectors[copy] = blend / np.linalg.norm(blend)
    vectors.flush()


def measure(stage: str, folder: Path) -> dict[str, float]:
    """Run a stage in a process of its own; return what it printed."""
    command = [sys.executable, "-m", "benchmarks.scale_stages", stage, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{stage} failed: {result.stderr[-2000:]}")
    found: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return found


def main(arguments: argparse.Namespace) -> str:
    mixture = mixture_of(arguments.data)
    stages = [name for name in STAGES if name == "start" or name in arguments.stages]
    found: dict[int, dict[str, dict[str, float]]] = {}
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
        for growth in growths(found, stage, 10_000, 100_000)
        if growth > _ALLOWED_GROWTH
    ]
    verdict = (
        f"; faster than the collection from 10,000 to 100,000: {', '.join(slow)}" if slow else ""
    )
    return f"scale: {arguments.out}{verdict}"


def growths(
    found: dict[int, dict[str, dict[str, float]]], stage: str, smaller: int, larger: int
) -> list[float]:
    """Return by what factor the CPU time beyond that of the start grew; nothing if negligible."""
    if smaller not in found or larger not in found:
        return []
    few, many = (
        found[count][stage]["cpu_s"] - found[count]["start"]["cpu_s"] for count in (smaller, larger)
    )
    return [many / max(few, _NEGLIGIBLE / 10)] if many > _NEGLIGIBLE else []


def page(found: dict[int, dict[str, dict[str, float]]], origin: str) -> str:
    """Return the page in Markdown."""
    sizes = list(found)
    stages = list(found[sizes[0]])
    rows = []
    for stage in stages:
        description = STAGES[stage]
        row = [f"`{stage}`: {description}"]
        row += [
            f"{found[n][stage]['cpu_s']:.1f} / {found[n][stage]['peak_mb']:,.0f}" for n in sizes
        ]
        for smaller, larger in pairwise(sizes):
            growth = growths(found, stage, smaller, larger)
            row.append(f"{growth[0]:.1f}" if growth else "")
        rows.append(row)
    header = ["CPU s / peak MB", *(f"{count:,}" for count in sizes)]
    header += [f"growth to {count:,}" for count in sizes[1:]]
    timed = []
    for key in sorted({key for count in sizes for stage in stages for key in found[count][stage]}):
        if key in ("cpu_s", "peak_mb"):
            continue
        values = [next((str(of[key]) for of in found[n].values() if key in of), "") for n in sizes]
        timed.append([key, *values])
    imports = found[sizes[0]]["start"]["cpu_s"]
    return f"""# How the cost grows with the collection

Written by `make benchmark-scale`; `OPTIONS="--sizes 1000 10000 100000 1000000"` measures a million.

- vectors: {origin}; {COPIES:.0%} are near-duplicates
- machine: {platform.machine()}; CPU seconds of all cores, with {imports:.1f} s of imports in \
each stage; peak memory with mapped files
- growth: of the CPU seconds beyond the imports; empty where they are at most {_NEGLIGIBLE:.0f} s
- up to {COMPARED_EXACTLY:,} photos near-duplicates are found by comparing every pair, and up to \
{EXACT_UP_TO:,} the index is exact; from there on inverted lists are measured and joined, whose \
cost is linear

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
