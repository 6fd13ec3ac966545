"""Download the photos of the table to data/dataset_images/<Species>/<id>.jpg."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import DOWNLOAD_OUTPUTS, stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.corrections import read_corrections
    from panthera_vision.data.photo_table import read_dataset
    from panthera_vision.download.stage import DownloadFiles, Reviewed, download_table
    from panthera_vision.parameters import DownloadParameters, read_parameters

    counts = download_table(
        read_dataset(arguments.dataset),
        read_parameters("download", DownloadParameters),
        arguments.observations,
        DownloadFiles(**{name: getattr(arguments, name) for name in DOWNLOAD_OUTPUTS}),
        reviewed=Reviewed(read_corrections(arguments.corrections), arguments.labeled),
    )
    return f"download: {counts.summary()}; {arguments.photos}"


parser = stage_parser(
    __doc__,
    dataset="table of the stage `prepare`",
    observations="folder that local addresses are relative to",
    labeled="folder of photos that people labeled in the review",
    corrections="table of what people decided about single photos",
    **DOWNLOAD_OUTPUTS,
)

if __name__ == "__main__":
    run(main, parser)
