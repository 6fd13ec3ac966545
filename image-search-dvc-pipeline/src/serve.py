"""Species and similar photos for other programs, over HTTP: POST /classify, POST /search.

http://127.0.0.1:8000/openapi.json describes it to programs, /docs to people (that page loads its
script from the internet). Whoever can reach the port can ask: beyond this machine, put a server
with TLS and access control in front of it.
"""

import argparse
import os
from pathlib import Path

from panthera_vision.cli.runner import run

PIPELINE = Path(__file__).resolve().parent.parent
# Connections, most of them idle; the service's own limits, with their reasons, are far below.
MOST_CONNECTIONS = 1000


def main(arguments: argparse.Namespace) -> str:
    import uvicorn

    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.serving.app import create_app
    from panthera_vision.serving.settings import MEGA, ServiceSettings

    configure_process(num_threads=arguments.threads)
    settings = ServiceSettings(
        model=arguments.model,
        index=arguments.index,
        upload_bytes=round(arguments.megabytes * MEGA),
        pixels=round(arguments.megapixels * MEGA),
        upload_seconds=arguments.upload_seconds,
        at_once=arguments.at_once,
        waiting=arguments.waiting,
        origins=tuple(arguments.origin),
    )
    uvicorn.run(
        create_app(settings),
        host=arguments.host,
        port=arguments.port,
        limit_concurrency=MOST_CONNECTIONS,
        server_header=False,
    )
    return "serve: stopped"


def positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


parser = argparse.ArgumentParser(
    description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
)
parser.add_argument("--host", default="127.0.0.1", help="address to listen on; %(default)s")
parser.add_argument("--port", type=int, default=8000, help="%(default)s")
parser.add_argument("--model", type=Path, default=PIPELINE / "model_weights" / "best_model.pth")
parser.add_argument("--index", type=Path, default=PIPELINE / "faiss_index")
parser.add_argument("--megabytes", type=positive, default=20, help="a request; %(default)s")
parser.add_argument("--megapixels", type=positive, default=60, help="a photo; %(default)s")
parser.add_argument(
    "--upload-seconds", type=positive, default=30, help="for a request to come in; %(default)s"
)
parser.add_argument(
    "--at-once",
    type=whole,
    default=min(os.cpu_count() or 1, 8),
    help="photos worked on at a time; %(default)s",
)
parser.add_argument(
    "--waiting", type=whole, default=32, help="requests that may wait; more get 503; %(default)s"
)
# Photos side by side, each on one core, are answered at a higher rate than one photo on all cores,
# and do not wait for a core that another program has taken.
parser.add_argument(
    "--threads", type=whole, default=1, help="of the network for one photo; %(default)s"
)
parser.add_argument(
    "--origin",
    action="append",
    default=[],
    help="web pages of this address, such as https://example.org, may ask; several times",
)

if __name__ == "__main__":
    run(main, parser)
