"""Measure the latency of the web apps for one user, and for four concurrent ones.

Starts the app in its pipeline's folder, with the model there, and uploads photos through a real
browser. Checks that each result belongs to its photo.
"""

import argparse
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.app_server import CHROMIUM, served
from benchmarks.harness import table
from panthera_vision.cli.runner import run
from panthera_vision.errors import UserError
from panthera_vision.images.folders import photos_below
from panthera_vision.io.atomic import write_text
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.ui.i18n import Translator

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL = REPOSITORY / "cv-classification-dvc-pipeline" / "models" / "best_model.pth"
WARM_UPS = 2
TRIES = 10
USERS = 4
# The app's folder, and the heading above a result.
APPS = {
    "classification": (
        "cv-classification-dvc-pipeline",
        Translator("classification", "en")("probabilities"),
    ),
    "search": ("image-search-dvc-pipeline", Translator("search", "en")("results", count=10)),
}


def seconds_to_answer(page: Page, photo: Path, heading: str) -> float:
    """Measure the seconds from selecting a photo to the result on the page."""
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photo)
    start = time.perf_counter()
    page.get_by_text(heading, exact=True).first.wait_for()
    waited = time.perf_counter() - start
    if page.get_by_test_id("stException").count():
        raise UserError(f"the app fails on {photo}")
    page.get_by_text(photo.name).first.wait_for()
    return waited


def visit(address: str, photos: list[Path], heading: str, together: Barrier) -> list[float]:
    """Measure one user's latencies, with a new page per photo; users are synchronized."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if CHROMIUM.exists() else None, args=["--no-sandbox"]
        )
        waits = []
        for photo in photos:
            context = browser.new_context(locale="en-GB")
            page = context.new_page()
            page.goto(address)
            page.get_by_test_id("stFileUploaderDropzone").wait_for()
            page.wait_for_timeout(1500)  # until the examples are drawn
            together.wait()
            waits.append(seconds_to_answer(page, photo, heading))
            context.close()
        browser.close()
    return waits


def measure(app: str, photos: list[Path]) -> list[list[str]]:
    folder, heading = APPS[app]
    rows = []
    with served(REPOSITORY / folder) as address:
        for users in (1, USERS):
            together = Barrier(users)
            wanted = WARM_UPS + TRIES
            shares = [photos[number::users][:wanted] for number in range(users)]
            with ThreadPoolExecutor(users) as pool:
                visits = [pool.submit(visit, address, share, heading, together) for share in shares]
            waits = [done.result() for done in visits]
            seconds = np.array([wait for user in waits for wait in user[WARM_UPS:]])
            rows.append(
                [
                    app,
                    str(users),
                    str(len(seconds)),
                    f"{np.median(seconds):.2f}",
                    f"{np.quantile(seconds, 0.95):.2f}",
                    f"{seconds.max():.2f}",
                ]
            )
    return rows


def main(arguments: argparse.Namespace) -> str:
    photos = photos_below(arguments.photos)[:: arguments.every]
    if len(photos) < USERS * (WARM_UPS + TRIES):
        raise UserError(f"{arguments.photos}: {USERS * (WARM_UPS + TRIES)} photos are needed")
    rows = [row for app in arguments.app for row in measure(app, photos)]
    header = [
        "app",
        "concurrent users",
        "requests",
        "median, s",
        "95th percentile, s",
        "maximum, s",
    ]
    backbone = load_checkpoint(MODEL).backbone.name
    text = (
        "# Latency of the web apps\n\n"
        "Written by `make benchmark-apps`: time from selecting a photo to the result on the page, "
        "in Chromium on the same machine (which shares the CPU). The first "
        f"{WARM_UPS} requests of each user are warm-up and not counted.\n\n"
        f"- machine: {platform.machine()}, {os.cpu_count()} processors\n"
        f"- backbone: {backbone}\n\n" + table(header, rows) + "\n"
    )
    write_text(arguments.out, text)
    return f"apps: {len(rows)} measurements; {arguments.out}"


parser = argparse.ArgumentParser(prog="python -m benchmarks.apps", description=__doc__)
parser.add_argument("photos", type=Path, help="folder of photos to upload")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument("--every", type=int, default=7, help="use every N-th photo")
parser.add_argument("--app", nargs="+", choices=sorted(APPS), default=sorted(APPS))

if __name__ == "__main__":
    run(main, parser)
