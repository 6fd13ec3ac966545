"""Download the photos of the table to data/dataset_images/<Species>/<id>.jpg."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import DOWNLOAD_OUTPUTS, stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import read_dataset
    from panthera_vision.download.stage import DownloadFiles, download_table
    from panthera_vision.parameters import DownloadParameters, read_parameters

    counts = download_table(
        read_dataset(arguments.dataset),
        read_parameters("download", DownloadParameters),
        arguments.observations,
        DownloadFiles(**{name: getattr(arguments, name) for name in DOWNLOAD_OUTPUTS}),
    )
    return f"download: {counts.summary()}; {arguments.photos}"


parser = stage_parser(
    __doc__,
    dataset="table of the stage `prepare`",
    observations="folder that local addresses are relative to",
    **DOWNLOAD_OUTPUTS,
)

if __name__ == "__main__":
    run(main, parser)
