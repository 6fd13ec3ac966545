"""Collect observations from iNaturalist's API into observations.csv, in the format of its export.

Run it in a pipeline's folder: params.yaml there names the taxa, licenses and limits. It is not a
DVC stage: the site changes daily, and `dvc repro` must not query it on each run.
"""

import argparse
from pathlib import Path


def main(arguments: argparse.Namespace) -> str:
    """Query the API, write observations.csv and return a summary."""
    from panthera_vision.parameters import (
        CollectParameters,
        DownloadParameters,
        PrepareParameters,
        read_parameters,
    )
    from panthera_vision.sources.inaturalist.collect import api_settings, collect_observations

    collect = read_parameters("collect", CollectParameters)
    download = read_parameters("download", DownloadParameters)
    report = collect_observations(
        arguments.folder,
        read_parameters("prepare", PrepareParameters).allowed_species,
        collect,
        api_settings(collect, download, arguments.api),
        force=arguments.force,
    )
    return f"collect: {report.summary()}; {arguments.folder}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("data/data_from_iNaturalist"),
        help="where to write observations.csv (default: %(default)s)",
    )
    parser.add_argument(
        "--api",
        default="https://api.inaturalist.org/v1",
        help="base URL of the API (default: %(default)s)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="overwrite an observations.csv that this command did not write",
    )
