"""Search similar photos: for each photo, the most similar ones of the collection, as JSON.

PHOTOS are files, folders (with their subfolders), or tables: CSV with a column `file` or
`image_url`, or the output of predict or search.

With --detections, PHOTOS is the folder on which MegaDetector, AddaxAI or SpeciesNet was run, and
each animal is searched with by itself.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panthera_vision.cli.runner import (
    add_batch_arguments,
    add_coordinates_argument,
    add_detection_arguments,
    add_path_argument,
    day,
    positive_int,
)

if TYPE_CHECKING:
    from panthera_vision.search.filters import PhotoFilter


def main(arguments: argparse.Namespace) -> str:
    """Search with each photo; return the JSON, or a summary where `--out` has it."""
    from panthera_vision.batch.batch_predict import format_unreadable
    from panthera_vision.batch.batch_search import SearchOptions, batch_search
    from panthera_vision.batch.detection_items import CropOptions, find_items
    from panthera_vision.batch.output_file import check_output
    from panthera_vision.errors import UserError
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.search.index.photo_index import load_index
    from panthera_vision.search.searcher import Searcher

    configure_process()
    crops = CropOptions(arguments.detection_threshold, arguments.margin)
    items, inputs = find_items(arguments.photos, arguments.detections, crops)
    if arguments.out:
        index = arguments.index.glob("*")
        given = [*arguments.photos, arguments.model, *filter(None, [arguments.detections])]
        check_output(arguments.out, (".json",), [*given, *index, *inputs.photos])
    searcher = Searcher(Predictor(load_checkpoint(arguments.model)), load_index(arguments.index))
    table = searcher.index.table
    columns = searcher.index.columns
    where = columns.resolve(_filter(arguments))
    if note := columns.undated_note(where):
        print(f"search: {note}; a date filter leaves them out", file=sys.stderr, flush=True)
    photos = list(
        batch_search(
            searcher,
            items,
            SearchOptions(
                arguments.index,
                where,
                arguments.count,
                arguments.group_duplicates,
                arguments.coordinates,
            ),
            batch_size=arguments.batch_size,
            threads=arguments.threads,
        )
    )
    found = {
        "model": searcher.index.manifest.model_fingerprint,
        "collection": len(table),
        "photos": photos,
    }
    line = _output(found, arguments.out, inputs.skipped_note())
    if unreadable := Counter(photo["reason"] for photo in photos if photo["reason"]):
        print(line, flush=True)
        total = f"{unreadable.total()} of {len(photos)} photos"
        raise UserError(
            f"{total} can't be read{format_unreadable(unreadable)}{inputs.listing.note()}"
        )
    if inputs.listing.unreadable:
        print(line, flush=True)
        inputs.require_readable()
    return line


def _filter(arguments: argparse.Namespace) -> "PhotoFilter":
    from panthera_vision.search.filters import PhotoFilter

    return PhotoFilter(
        tuple(arguments.species),
        tuple(arguments.license),
        tuple(arguments.observer),
        arguments.first_day,
        arguments.last_day,
        arguments.place,
    )


def _output(found: dict[str, Any], out: Path | None, note: str) -> str:
    """Write the hits to `out` and return a summary; without it, return them as JSON."""
    from panthera_vision.batch.output_file import keep_earlier
    from panthera_vision.io.atomic import write_text

    photos = found["photos"]
    # A file name need not be UTF-8.
    text = json.dumps(found, ensure_ascii=False, indent=2)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if out:
        kept = keep_earlier(out, [photo["file"] for photo in photos if not photo["reason"]])
        write_text(out, text + "\n")
        return f"search: {len(photos)} photos{note}{kept}; {out}"
    if note:
        print(f"search: {len(photos)} photos{note}", file=sys.stderr)
    return text


def add_arguments(
    parser: argparse.ArgumentParser, model: Path | None = None, index: Path | None = None
) -> None:
    """Declare the arguments; `--model` and `--index` are required unless a default is given."""
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTOS", help="query photos")
    parser.add_argument("--out", type=Path, help="the JSON file to write; default: the terminal")
    parser.add_argument(
        "--count", type=positive_int, default=10, help="hits per photo; default: %(default)s"
    )
    parser.add_argument(
        "--group-duplicates",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="list near-duplicates with the best one of their group (default), or separately",
    )
    for name, example in (
        ("species", "'Panthera leo'"),
        ("license", "CC-BY, or all-rights-reserved"),
        ("observer", "jane_tours"),
    ):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            help=f"only photos of this {name}, such as {example}; repeatable",
        )
    parser.add_argument("--first-day", type=day, help="earliest date, such as 2020-12-31")
    parser.add_argument("--last-day", type=day, help="latest date, such as 2020-12-31")
    parser.add_argument("--place", default="", help="only photos whose place contains these words")
    add_path_argument(parser, "--model", model, "checkpoint (best_model.pth)")
    add_path_argument(parser, "--index", index, "search index (folder faiss_index)")
    add_detection_arguments(parser)
    add_batch_arguments(parser)
    add_coordinates_argument(parser)
