"""How many programs the service answers, and how fast: 1, 4, 16 and 50 requests at the same moment.

Starts `src/serve.py` as it stands, with the model and the index that lie in the search pipeline,
and asks with the collection's own photos: each must find itself, so that an answer that went to
somebody else would be seen.
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
# Requests at the same moment, and how often.
BURSTS = {1: 60, 4: 20, 16: 8, 50: 4}
WARM_UPS = 5


@dataclass(frozen=True)
class Request:
    """A photo of the collection, to be sent."""

    id: str
    data: bytes


async def ask(client: httpx.AsyncClient, request: Request) -> tuple[int, float]:
    """The answer's status, and the seconds to it.

    Raises:
        UserError: the photo does not find itself, or the service fails.
    """
    start = time.perf_counter()
    response = await client.post("/search", files={"photo": ("photo.jpg", request.data)})
    seconds = time.perf_counter() - start
    if response.status_code == 200:
        best = response.json()["hits"][0]
        if request.id not in (best["id"], *(photo["id"] for photo in best["near_duplicates"])):
            raise UserError(f"the photo {request.id} got the answer of {best['id']}")
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
            await ask(client, next(requests))
        for at_once, rounds in BURSTS.items():
            answers: list[tuple[int, float]] = []
            took = 0.0
            for _ in range(rounds):
                burst = [next(requests) for _ in range(at_once)]
                start = time.perf_counter()
                answers += await asyncio.gather(*(ask(client, request) for request in burst))
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
    """The measurement as a section in Markdown.

    Args:
        options: of `src/serve.py`, besides its port.
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
    header = ["requests at once", "sent", "refused (503)", "answers a second"]
    header += ["median, s", "95th percentile, s"]
    return (
        "## The service under load\n\n"
        "`python -m benchmarks.service` sends photos of the collection to `src/serve.py"
        f"{''.join(f' {option}' for option in options)}`, so many at the same moment, waits for "
        "all answers, and sends the next; each answer was checked to be its own photo's. The "
        f"collection has {len(index.table)} photos, the network is "
        f"{index.manifest.backbone}; client "
        f"and service share {os.cpu_count()} cores. What is beyond the queue "
        "(`--at-once` and `--waiting` together) is refused at once, and told when to come "
        "again.\n\n" + table(header, rows) + "\n"
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
