"""Run all search benchmarks and write one page; each part also runs alone.

Uses the model and the index in the pipelines (after `dvc repro` or `make demo`); DATA needs
panthera_photos/<Species>/ and other_felids/<Species>/.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.embeddings import embeddings_section
from benchmarks.incremental import incremental_section
from benchmarks.index_table import index_table
from benchmarks.milvus import milvus_section
from benchmarks.service import service_section
from panthera_vision.cli.runner import run
from panthera_vision.io.atomic import write_text


def main(arguments: argparse.Namespace) -> str:
    data: Path = arguments.data
    parts: dict[str, Callable[[], str]] = {
        "service": lambda: service_section([]),
        "engines": milvus_section,
        "incremental": lambda: incremental_section(data / "panthera_photos"),
        "index": index_table,
        "embeddings": lambda: embeddings_section(data),
    }
    sections: list[str] = []
    minutes: list[str] = []
    for name in arguments.part:
        start = time.monotonic()
        sections.append(parts[name]().strip())
        minutes.append(f"{name} {(time.monotonic() - start) / 60:.1f}")
        # Written after each part, so that a later failure loses nothing.
        write_text(arguments.out, page(sections, minutes))
    return f"search: {', '.join(minutes)} minutes; {arguments.out}"


def page(sections: list[str], minutes: list[str]) -> str:
    """Return the page of the finished sections, in Markdown."""
    head = (
        "# Search benchmarks\n\n"
        f"`make benchmark-search` ({', '.join(minutes)} minutes; {platform.machine()}, "
        f"{os.cpu_count()} processors). Conclusions: [docs/search.md](../docs/search.md), "
        "[docs/milvus.md](../docs/milvus.md), [docs/service.md](../docs/service.md)."
    )
    return "\n\n".join([head, *sections]) + "\n"


PARTS = ("service", "engines", "incremental", "index", "embeddings")

parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
parser.add_argument("data", type=Path, help="folder with panthera_photos/ and other_felids/")
parser.add_argument("out", type=Path, help="the page to write")
parser.add_argument(
    "--part", nargs="+", choices=PARTS, default=PARTS, help="only these parts; default: all"
)

if __name__ == "__main__":
    run(main, parser)
