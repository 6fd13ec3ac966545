"""Measure the peak memory of predict, embed and download by the number of photos.

python -m benchmarks.speed.memory
"""

import argparse
import hashlib
import io
import multiprocessing
import resource
import tempfile
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.harness import table
from benchmarks.speed.downloading import by_download
from benchmarks.speed.networks import SPECIES
from benchmarks.speed.site import photo_site
from panthera_vision.batch.batch_items import file_items
from panthera_vision.batch.batch_predict import BatchOptions, batch_predict
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import empty_classifier
from panthera_vision.search.embedding.cache import create_cache
from panthera_vision.search.embedding.embed_collection import (
    PhotoFiles,
    cache_key,
    embed_collection,
)

COUNTS = (1000, 4000, 16000)
BACKBONE = "efficientnet_lite0"
NETWORK_SIDE = 32  # pixels; small, because only the growth per photo matters
PHOTO_SIDE = 96
BATCH = 32

Task = Callable[[list[Path], Path], None]


def photos_in(folder: Path, count: int) -> list[Path]:
    """Write small, distinct JPEG files."""
    pixels = np.random.default_rng(0).integers(0, 256, (PHOTO_SIDE, PHOTO_SIDE, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG")
    paths = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        path.write_bytes(buffer.getvalue() + f"{number}".encode())  # after the end of the image
        paths.append(path)
    return paths


def predictor() -> Predictor:
    backbone = find_backbone(BACKBONE, image_size=NETWORK_SIDE)
    torch.manual_seed(0)
    network = empty_classifier(backbone, len(SPECIES))
    return Predictor(TrainedModel(network.eval(), backbone, SPECIES, backbone.preprocessing))


def predict(photos: list[Path], folder: Path) -> None:
    options = BatchOptions(BATCH, threads=2)
    batch_predict(predictor(), file_items(photos), folder / "out.csv", options)


def embed(photos: list[Path], folder: Path) -> None:
    own = predictor()
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
    store = create_cache(folder / "store", cache_key(own.model, own.precision))
    embed_collection(own, PhotoFiles(hashes, photos), store, batch_size=BATCH, threads=2)


def download(photos: list[Path], folder: Path) -> None:
    with photo_site(photos[:1], latency=0.0) as site:
        by_download([f"{site.address}/{number}.jpg" for number in range(len(photos))], folder)


TASKS: dict[str, Task] = {"predict": predict, "embed": embed, "download": download}


def _run(name: str, photos: list[Path], folder: Path, pipe: Connection) -> None:
    TASKS[name](photos, folder)
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def peak_megabytes(name: str, photos: list[Path]) -> float:
    """Measure the peak memory (MiB) of a process that does the task, libraries included.

    Raises:
        RuntimeError: if the process fails.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_run, args=(name, photos, Path(folder), theirs))
        process.start()
        theirs.close()
        try:
            megabytes: float = ours.recv()
        except EOFError:
            raise RuntimeError(f"{name} failed; its message is above") from None
        finally:
            process.join()
    return megabytes


def section(counts: Sequence[int] = COUNTS) -> str:
    """Return peaks by the number of photos, and the growth per photo, as Markdown."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        photos = photos_in(Path(folder), max(counts))
        for name in TASKS:
            peaks = [peak_megabytes(name, photos[:count]) for count in counts]
            growth = (peaks[-1] - peaks[0]) * 1024 / (counts[-1] - counts[0])
            rows.append([name, *(f"{peak:.0f}" for peak in peaks), f"{growth:.2f}"])
    return "\n\n".join(
        [
            f"Peak memory in MiB of whole processes, including libraries and the network "
            f"({BACKBONE}). The photos are {PHOTO_SIDE} pixels wide and the network's input is "
            f"{NETWORK_SIDE}, so that many of them can be measured; what matters is the growth per "
            "photo.",
            table(["", *(f"{count:,} photos" for count in counts), "KiB per further photo"], rows),
        ]
    )


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)

if __name__ == "__main__":
    print(section(parser.parse_args().counts))
