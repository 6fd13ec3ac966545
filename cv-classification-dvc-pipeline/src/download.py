"""The table's photos → data/dataset_images/<Species>/<id>.jpg, and data/photos.csv."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.download.stage import download_table
    from panthera_vision.images.decoding import ignore_pillow_warnings
    from panthera_vision.parameters import DownloadParameters, read_parameters

    ignore_pillow_warnings()
    counts = download_table(read_parameters("download", DownloadParameters), **vars(arguments))
    return f"download: {counts.summary()}; {arguments.photos}"


parser = stage_parser(
    __doc__,
    dataset="the table of `prepare`",
    observations="folder that local addresses are relative to",
    images="folder for the photos",
    log="notes what is fetched, photo by photo",
    photos="the table to write: each photo's file and outcome",
    outcomes="the table to write: how many photos, by outcome",
    credits="the table to write: whose photos, which licences",
)

if __name__ == "__main__":
    run(main, parser)
