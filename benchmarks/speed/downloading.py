"""Measure downloads from a site with 50 ms latency: sequential, img2dataset, and `download`.

python -m benchmarks.speed.downloading ../shared/data/panthera_photos
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median

import pandas as pd

from benchmarks.harness import table
from benchmarks.speed.site import Site, photo_site
from panthera_vision.batch.input_files import find_photos
from panthera_vision.download.http import FetchSettings
from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.download.stage import collect_photos

LATENCY = 0.05  # seconds
CONCURRENT = 16
LIMITED = 50.0  # requests per second, in the rate-limited run
IMG2DATASET = "img2dataset==1.47.0"

Download = Callable[[list[str], Path], None]


def sequential(addresses: list[str], folder: Path) -> None:
    """Download one by one with requests."""
    import requests

    for number, address in enumerate(addresses):
        answer = requests.get(address, timeout=30)
        answer.raise_for_status()
        (folder / f"{number}.jpg").write_bytes(answer.content)


def by_img2dataset(addresses: list[str], folder: Path) -> None:
    """Download with img2dataset in its own environment (uvx), storing the bytes as received."""
    listed = folder / "addresses.txt"
    listed.write_text("\n".join(addresses))
    subprocess.run(
        [
            *(str(Path(sys.executable).with_name("uvx")), "--quiet", "--from", IMG2DATASET),
            "img2dataset",
            f"--url_list={listed}",
            "--input_format=txt",
            f"--output_folder={folder / 'photos'}",
            "--output_format=files",
            "--processes_count=1",
            f"--thread_count={CONCURRENT}",
            f"--number_sample_per_shard={len(addresses)}",
            "--resize_mode=no",
            "--disable_all_reencoding=True",
            "--enable_wandb=False",
        ],
        check=True,
        capture_output=True,
        env=os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1"},
    )


def settings(per_second: float) -> FetchSettings:
    return FetchSettings(
        limits=RateLimits(per_second, CONCURRENT, bytes_per_hour=math.inf, bytes_per_day=math.inf),
        attempts=3,
        timeout_seconds=30,
        maximum_bytes=20_000_000,
        user_agent="PantheraVision benchmark",
        table_folder=Path(),
        local_photos=(Path(),),
        allow_private_addresses=True,
    )


def by_download(addresses: list[str], folder: Path, per_second: float = math.inf) -> None:
    """As the stage does it: each photo decoded, noted in the journal, renamed into place."""
    wanted = pd.DataFrame(
        {
            "id": [str(number) for number in range(len(addresses))],
            "species": "Panthera leo",
            "image_url": addresses,
        }
    )
    collect_photos(wanted, folder, folder / "journal.jsonl", settings(per_second))


def highest_rate(times: list[float], window: float) -> int:
    """Return the most requests in any window of so many seconds; `times` are ascending."""
    return max(bisect_right(times, start + window) - at for at, start in enumerate(times))


def measured(work: Download, site: Site, count: int) -> tuple[float, float, list[float]]:
    """Seconds from the first request to the last answer, of processor time, and all requests'.

    So the start of a program, which takes img2dataset some seconds, is no part of its speed.

    Raises:
        RuntimeError: not every photo came.
    """
    addresses = [f"{site.address}/{number}.jpg" for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        site.request_times()
        busy = _processor_seconds()
        work(addresses, Path(folder))
        busy = _processor_seconds() - busy
        there = sum(path.stat().st_size > 0 for path in Path(folder).rglob("*.jpg"))
    if there != count:
        raise RuntimeError(f"{there} of {count} photos came")
    times = site.request_times()
    return times[-1] - times[0] + LATENCY, busy, times


def _processor_seconds() -> float:
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def section(photos: list[Path], count: int, turns: int) -> str:
    """Return photos per second by variant, and a check of the rate limiter, as Markdown."""
    ways: dict[str, tuple[Download, int]] = {
        "sequential (`requests.get`)": (sequential, max(1, count // 10)),
        f"img2dataset, {CONCURRENT} threads": (by_img2dataset, count),
        f"**`download`**, {CONCURRENT} concurrent": (by_download, count),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    work: dict[str, list[float]] = {name: [] for name in ways}
    with photo_site(photos, LATENCY) as site:
        for _ in range(turns):
            for name, (way, some) in ways.items():
                seconds, busy, _ = measured(way, site, some)
                rates[name].append(some / seconds)
                work[name].append(1000 * busy / some)
        limited = partial(by_download, per_second=LIMITED)
        seconds, _, times = measured(limited, site, round(8 * LIMITED))
    slow, other, ours = rates.values()
    rows = [
        [
            name,
            f"{median(rate):.0f}",
            f"{median(one / base for one, base in zip(rate, slow, strict=True)):.1f}",
            f"{median(work[name]):.1f}",
        ]
        for name, rate in rates.items()
    ]
    against = median(one / base for one, base in zip(ours, other, strict=True))
    in_windows = ", ".join(
        f"{highest_rate(times, window)} in any {window:g} s" for window in (0.1, 1, 5)
    )
    return "\n\n".join(
        [
            f"{count} photos (sequential: {max(1, count // 10)}) from one server on loopback "
            f"with {LATENCY * 1000:.0f} ms latency, {turns} rounds, medians. `{IMG2DATASET}` "
            "stores the bytes as received; `download` also decodes every photo and records its "
            "SHA-256. Time from the first request to the last response, as seen by the server; "
            "CPU time of the whole program.",
            table(["variant", "photos/s", "speedup over sequential", "CPU ms per photo"], rows),
            f"`download` is {against:.2f} times as fast as img2dataset at the same concurrency.",
            f"Rate limiter: with a limit of {LIMITED:g} requests per second, {len(times)} requests "
            f"took {seconds:.1f} s; the server saw at most {in_windows}.",
        ]
    )


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photos", type=Path, help="a folder of photos")
parser.add_argument("--count", type=int, default=1000)
parser.add_argument("--turns", type=int, default=3)

if __name__ == "__main__":
    arguments = parser.parse_args()
    print(section(find_photos([arguments.photos]).photos[::12], arguments.count, arguments.turns))
