"""Photos → for each, the photos of the collection that look most like it, as JSON.

PHOTOS are files, folders with all below them, or tables (CSV with a column `file` or `image_url`).
"""

import argparse
import json
from datetime import date
from pathlib import Path

from panthera_vision.cli.runner import run

PIPELINE = Path(__file__).parent.parent


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.batch.batch_search import PhotoStore, SearchOptions, reasons, search_files
    from panthera_vision.batch.input_files import find_photos
    from panthera_vision.data.photo_folders import photo_folders
    from panthera_vision.errors import UserError
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.io.atomic import write_text
    from panthera_vision.search.filters import PhotoFilter, resolve_filter
    from panthera_vision.search.live_index import LiveIndex

    configure_process()
    sources = find_photos(arguments.photos)
    search, _ = LiveIndex(arguments.model, arguments.index).searcher()
    table = search.index.table
    asked = PhotoFilter(
        tuple(arguments.species),
        tuple(arguments.license),
        tuple(arguments.observer),
        arguments.first_day,
        arguments.last_day,
        arguments.place,
    )
    photo_filter = resolve_filter(table, asked)
    photos = list(
        search_files(
            search,
            sources.photos,
            SearchOptions(photo_filter, arguments.count, folded=not arguments.all),
            PhotoStore(arguments.index, photo_folders(arguments.index.resolve().parent)),
            batch_size=arguments.batch_size,
            threads=arguments.threads,
        )
    )
    found = {
        "model": search.index.manifest.model_fingerprint,
        "collection": len(table),
        "photos": photos,
    }
    # A file's name need not be UTF-8.
    text = json.dumps(found, ensure_ascii=False, indent=2)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if arguments.out:
        write_text(arguments.out, text + "\n")
        line = f"search: {len(photos)} photos; {arguments.out}"
    else:
        line = text
    if unreadable := reasons(photos):
        print(line, flush=True)
        raise UserError(f"of {len(photos)} photos, some can't be read: {unreadable}")
    return line


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def day(text: str) -> date:
    return date.fromisoformat(text)


parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTOS", help="what to search with")
parser.add_argument("--out", type=Path, help="the JSON file to write; default: the terminal")
parser.add_argument("--count", type=positive, default=10, help="hits a photo; default: %(default)s")
parser.add_argument("--all", action="store_true", help="near-duplicates each as a hit of its own")
for name, example in (
    ("species", "'Panthera leo'"),
    ("license", "CC-BY, or all-rights-reserved"),
    ("observer", "jane_tours"),
):
    parser.add_argument(
        f"--{name}",
        action="append",
        default=[],
        help=f"only photos of this one, such as {example}; may be given several times",
    )
parser.add_argument("--first-day", type=day, help="only photos of 2020-12-31, say, or later")
parser.add_argument("--last-day", type=day, help="only photos of that day or earlier")
parser.add_argument("--place", default="", help="only photos whose place has these words")
parser.add_argument("--model", type=Path, default=PIPELINE / "model_weights" / "best_model.pth")
parser.add_argument("--index", type=Path, default=PIPELINE / "faiss_index")
parser.add_argument("--batch-size", type=positive, default=32, help="default: %(default)s")
parser.add_argument("--threads", type=positive, default=2, help="that decode; default: %(default)s")

if __name__ == "__main__":
    run(main, parser)
