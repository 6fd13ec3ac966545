"""Load-test the HTTP service with bursts of 1, 4, 16 and 50 concurrent requests.

Starts `src/serve.py` with the model and the index of the search pipeline, and queries it with the
photos of the collection. Each photo must find itself, which detects swapped responses.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from benchmarks.app_server import serving
from benchmarks.harness import table
from panthera_vision.cli.runner import run
from panthera_vision.data.photo_folders import photo_folders
from panthera_vision.data.photo_table import photo_paths
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import write_text
from panthera_vision.search.index.photo_index import load_index

REPOSITORY = Path(__file__).resolve().parents[1]
PIPELINE = REPOSITORY / "image-search-dvc-pipeline"
INDEX = PIPELINE / "faiss_index"
# Concurrent requests → number of bursts.
BURSTS = {1: 60, 4: 20, 16: 8, 50: 4}
WARM_UPS = 5


@dataclass(frozen=True)
class Request:
    """Hold a photo of the collection to send."""

    id: str
    data: bytes


async def send(client: httpx.AsyncClient, request: Request) -> tuple[int, float]:
    """Send one request; returns the status and the seconds to the response.

    Raises:
        UserError: if the photo does not find itself, or the service fails.
    """
    start = time.perf_counter()
    response = await client.post("/search", files={"photo": ("photo.jpg", request.data)})
    seconds = time.perf_counter() - start
    if response.status_code == 200:
        best = response.json()["hits"][0]
        if request.id not in (best["id"], *(photo["id"] for photo in best["near_duplicates"])):
            raise UserError(f"photo {request.id} got the response of {best['id']}")
    elif response.status_code != 503:
        raise UserError(f"the service answers {response.status_code}: {response.text}")
    return response.status_code, seconds


async def measure(address: str, requests: Iterator[Request]) -> list[list[str]]:
    rows = []
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=address, trust_env=False, timeout=120, limits=limits
    ) as client:
        for _ in range(WARM_UPS):
            await send(client, next(requests))
        for at_once, rounds in BURSTS.items():
            answers: list[tuple[int, float]] = []
            took = 0.0
            for _ in range(rounds):
                burst = [next(requests) for _ in range(at_once)]
                start = time.perf_counter()
                answers += await asyncio.gather(*(send(client, request) for request in burst))
                took += time.perf_counter() - start
            seconds = np.array([waited for status, waited in answers if status == 200])
            rows.append(
                [
                    str(at_once),
                    str(len(answers)),
                    str(len(answers) - len(seconds)),
                    f"{len(seconds) / took:.1f}",
                    f"{np.median(seconds):.2f}",
                    f"{np.quantile(seconds, 0.95):.2f}",
                ]
            )
    return rows


def service_section(options: list[str]) -> str:
    """Return the section "HTTP service under load" in Markdown.

    Args:
        options: of `src/serve.py`, except its port.
    """
    index = load_index(INDEX)
    wanted = sum(at_once * rounds for at_once, rounds in BURSTS.items()) + WARM_UPS
    files = photo_paths(index.table[:wanted], INDEX, photo_folders(PIPELINE))
    collection = [
        Request(name, file.read_bytes())
        for name, file in zip(index.table["id"], files, strict=False)
    ]
    requests = (collection[number % len(collection)] for number in range(wanted))
    words = ["src/serve.py", "--port={port}", *options]
    with serving(words, PIPELINE, "/healthz") as address:
        rows = asyncio.run(measure(address, requests))
    header = ["concurrent requests", "sent", "rejected (503)", "responses per second"]
    header += ["median, s", "95th percentile, s"]
    return (
        "## HTTP service under load\n\n"
        "`python -m benchmarks.service` sends photos of the collection to `src/serve.py"
        f"{''.join(f' {option}' for option in options)}`, in bursts of concurrent requests; each "
        "response was checked to belong to its photo. The "
        f"collection has {len(index.table)} photos, the network is {index.manifest.backbone}; "
        f"client and service share {os.cpu_count()} cores. Requests beyond the queue "
        "(`--at-once` plus `--waiting`) get 503 with Retry-After at once.\n\n"
        + table(header, rows)
        + "\n"
    )


def main(arguments: argparse.Namespace) -> str:
    text = service_section(arguments.options.split())
    if arguments.out:
        write_text(arguments.out, text)
        return f"service: {arguments.out}"
    return text


parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
parser.add_argument("--out", type=Path, help="the page to write; default: the terminal")
parser.add_argument("--options", default="", help='of src/serve.py, such as "--at-once=1"')

if __name__ == "__main__":
    run(main, parser)
