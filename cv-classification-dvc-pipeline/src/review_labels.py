"""List suspected label errors of all splits as a table and a page of photos for review."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import photo_paths, read_photos, rebase_files
    from panthera_vision.evaluation.label_errors import write_label_review
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.parameters import ReviewParameters, TrainParameters, read_parameters

    configure_process()
    photos = read_photos(arguments.photos, splits=True)
    folder = arguments.photos.parent
    summary = write_label_review(
        rebase_files(photos, folder, arguments.table.parent),
        photo_paths(photos, folder, [arguments.images]),
        read_parameters("review", ReviewParameters),
        read_parameters("train", TrainParameters),
        arguments.table,
        arguments.page,
    )
    return f"review_labels: {summary}; {arguments.table}"


parser = stage_parser(
    __doc__,
    photos="the table of `download`",
    images="the folder that all photos must lie in",
    table="the table to write, for a person to fill in",
    page="the page to write: the table's photos",
)

if __name__ == "__main__":
    run(main, parser)
