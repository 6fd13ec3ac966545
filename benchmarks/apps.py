"""Measure the latency of the web apps for one visitor, and for four at once.

Starts the app in its pipeline's folder, with the model there. Visitors come over the websocket that
the page in a browser uses (`benchmarks.app_visitor`), so that no browser takes the processors.
"""

import argparse
import asyncio
import os
import platform
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np

from benchmarks.app_server import served
from benchmarks.app_visitor import Visitor
from benchmarks.harness import table
from panthera_vision.cli.runner import run
from panthera_vision.errors import UserError
from panthera_vision.images.folders import photos_below
from panthera_vision.io.atomic import write_text
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.ui.i18n import Translator

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL = Path("cv-classification-dvc-pipeline", "models", "best_model.pth")
WARM_UPS = 2
TRIES = 10
USERS = 4
# The app's folder, and what it shows with an answer only.
APPS = {
    "classification": (
        "cv-classification-dvc-pipeline",
        f"**{Translator('classification', 'en')('probabilities')}**",
    ),
    "search": ("image-search-dvc-pipeline", Translator("search", "en")("results", count=10)),
}


async def seconds_to_answer(visitor: Visitor, uploader: str, photo: Path, answer: str) -> float:
    """Measure the seconds from the upload of a photo until its answer and pictures are there."""
    start = time.perf_counter()
    shown = await visitor.upload(photo, uploader)
    waited = time.perf_counter() - start
    if answer not in shown.texts:
        raise UserError(f"the app does not answer {photo}: {shown.texts}")
    return waited


async def visit(address: str, shares: list[list[Path]], answer: str) -> list[float]:
    """Measure the latencies of as many visitors as there are shares; all upload at once."""
    waits: list[float] = []
    async with AsyncExitStack() as stack:
        visitors = [await stack.enter_async_context(Visitor(address)) for _ in shares]
        uploaders = [(await visitor.open()).uploader for visitor in visitors]
        for photos in zip(*shares, strict=True):
            waits += await asyncio.gather(
                *(
                    seconds_to_answer(visitor, uploader, photo, answer)
                    for visitor, uploader, photo in zip(visitors, uploaders, photos, strict=True)
                )
            )
    return waits[WARM_UPS * len(shares) :]


async def answer_once(address: str, photo: Path, answer: str) -> None:
    """Open the app as its first visitor and wait for the answer to a photo."""
    async with Visitor(address) as visitor:
        shown = await visitor.open()
        await seconds_to_answer(visitor, shown.uploader, photo, answer)


def measure(app: str, workspace: Path, photos: list[Path]) -> tuple[str, list[list[str]]]:
    """Measure an app from its start on.

    Returns:
        the seconds from `streamlit run` to the first answer; a row of the table for one visitor
        and for `USERS` at once.
    """
    folder, answer = APPS[app]
    rows = []
    start = time.perf_counter()
    with served(workspace / folder) as address:
        asyncio.run(answer_once(address, photos[-1], answer))
        first = f"{time.perf_counter() - start:.1f}"
        for users in (1, USERS):
            shares = [photos[number::users][: WARM_UPS + TRIES] for number in range(users)]
            seconds = np.array(asyncio.run(visit(address, shares, answer)))
            figures = (np.median(seconds), np.quantile(seconds, 0.95), seconds.max())
            rows.append([app, str(users), str(len(seconds)), *(f"{each:.2f}" for each in figures)])
    return first, rows


def main(arguments: argparse.Namespace) -> str:
    photos = photos_below(arguments.photos)[:: arguments.every]
    if len(photos) < USERS * (WARM_UPS + TRIES):
        raise UserError(f"{arguments.photos}: {USERS * (WARM_UPS + TRIES)} photos are needed")
    found = {app: measure(app, arguments.workspace, photos) for app in arguments.app}
    rows = [row for _, of_app in found.values() for row in of_app]
    first = [[app, seconds] for app, (seconds, _) in found.items()]
    header = [
        "app",
        "visitors at once",
        "photos",
        "median, s",
        "95th percentile, s",
        "maximum, s",
    ]
    backbone = load_checkpoint(arguments.workspace / MODEL).backbone.name
    text = (
        "# Latency of the web apps\n\n"
        "Written by `make benchmark-apps`: time from the upload of a photo until its answer and "
        "its pictures have arrived, over the websocket that a page uses, without a browser. "
        f"Several visitors upload at the same moment. The first {WARM_UPS} photos of each visitor "
        "are not counted.\n\n"
        f"- machine: {platform.machine()}, {os.cpu_count()} processors\n"
        f"- backbone: {backbone}\n\n" + table(header, rows) + "\n\n"
        "## The first answer\n\nTime from `streamlit run` until the first visitor has an answer to "
        "a photo.\n\n" + table(["app", "first answer, s"], first) + "\n"
    )
    write_text(arguments.out, text)
    return f"apps: {len(rows)} measurements; {arguments.out}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.apps", description=__doc__)
parser.add_argument("photos", type=Path, help="folder of photos to upload")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--every", type=int, default=7, help="use every N-th photo")
parser.add_argument(
    "--workspace", type=Path, default=REPOSITORY, help="has both pipelines; default: this one"
)
parser.add_argument("--app", nargs="+", choices=sorted(APPS), default=sorted(APPS))

if __name__ == "__main__":
    run(main, parser)
