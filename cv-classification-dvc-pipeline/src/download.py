"""Download the photos of the table to data/dataset_images/<Species>/<id>.jpg."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import read_dataset
    from panthera_vision.download.stage import DownloadFiles, download_table
    from panthera_vision.parameters import DownloadParameters, read_parameters

    counts = download_table(
        read_dataset(arguments.dataset),
        read_parameters("download", DownloadParameters),
        arguments.observations,
        DownloadFiles(
            images=arguments.images,
            log=arguments.log,
            photos=arguments.photos,
            outcomes=arguments.outcomes,
            credits=arguments.credits,
        ),
    )
    return f"download: {counts.summary()}; {arguments.photos}"


parser = stage_parser(
    __doc__,
    dataset="table of the stage `prepare`",
    observations="folder that local addresses are relative to",
    images="folder for the photos",
    log="download log, from which an interrupted run resumes",
    photos="table to write: file, SHA-256 and outcome of each photo",
    outcomes="table to write: number of photos by outcome",
    credits="table to write: attribution and license of each photo",
)

if __name__ == "__main__":
    run(main, parser)
