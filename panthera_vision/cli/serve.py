"""Serve an HTTP API for other programs: POST /classify, POST /search.

http://127.0.0.1:8000/openapi.json describes it to programs, /docs to people (that page loads its
script from the internet). There is no authentication: before you open the port to other machines,
put a reverse proxy with TLS and access control in front of it.

Without --model and --index, the pretrained network classifies, which needs no training and knows
the species that ImageNet has a class for.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from panthera_vision.cli.model_choice import (
    add_model_arguments,
    chosen_checkpoint,
    chosen_species,
)
from panthera_vision.cli.runner import add_coordinates_argument, positive_float, positive_int

# Open connections, most of them idle; admission control admits far fewer requests.
MAX_CONNECTIONS = 1000


def main(arguments: argparse.Namespace) -> str:
    """Run the server until it is interrupted."""
    import uvicorn

    from panthera_vision.errors import UserError
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.pretrained import PANTHERA
    from panthera_vision.serving.app import create_app
    from panthera_vision.serving.settings import MEGA, ServiceSettings

    configure_process(num_threads=arguments.threads)
    model = arguments.model or arguments.default_model
    if arguments.index and not model:
        raise UserError("--index needs --model, the model that built it")
    species = None
    if checkpoint := chosen_checkpoint(arguments):
        if arguments.species:
            raise UserError(f"--species is for the pretrained network; {checkpoint} has its own")
    else:
        species = chosen_species(arguments) or PANTHERA
        print(
            "serve: no trained model yet; the pretrained network answers, which was not trained "
            "on your photos",
            file=sys.stderr,
            flush=True,
        )
    settings = ServiceSettings(
        model=model,
        index=arguments.index,
        species=species,
        upload_bytes=round(arguments.megabytes * MEGA),
        pixels=round(arguments.megapixels * MEGA),
        upload_seconds=arguments.upload_seconds,
        at_once=arguments.at_once,
        waiting=arguments.waiting,
        coordinates=arguments.coordinates,
        origins=tuple(arguments.origin),
    )
    uvicorn.run(
        create_app(settings),
        host=arguments.host,
        port=arguments.port,
        limit_concurrency=MAX_CONNECTIONS,
        server_header=False,
    )
    return "serve: stopped"


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise argparse.ArgumentTypeError(f"{number} is no port; ports are 1 to 65535")
    return number


def add_arguments(
    parser: argparse.ArgumentParser,
    model: Path | None = None,
    index: Path | None = None,
    settings: Path | None = None,
) -> None:
    """Declare the arguments; `model`, `index` and `settings` are those of a pipeline."""
    add_model_arguments(parser, model, settings)
    without = "default: %(default)s" if index else "without it, there is no search"
    parser.add_argument(
        "--index", type=Path, default=index, help=f"search index (folder faiss_index); {without}"
    )
    options: list[tuple[str, Callable[[str], object], object, str]] = [
        ("--host", str, "127.0.0.1", "address to listen on"),
        ("--port", _port, 8000, "port to listen on"),
        ("--megabytes", positive_float, 20, "largest request"),
        ("--megapixels", positive_float, 60, "largest photo"),
        ("--upload-seconds", positive_float, 30, "timeout for receiving a request"),
        ("--at-once", positive_int, min(os.cpu_count() or 1, 8), "photos processed concurrently"),
        ("--waiting", positive_int, 32, "requests that may queue; further ones get HTTP 503"),
        # Several photos on one core each have a higher throughput than one photo on all cores.
        ("--threads", positive_int, 1, "threads of the network per photo"),
    ]
    for name, kind, default, help in options:
        parser.add_argument(name, type=kind, default=default, help=f"{help}; default: %(default)s")
    add_coordinates_argument(parser, default="obscured")
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        help="CORS: allow web pages of this origin, such as https://example.org; repeatable",
    )
