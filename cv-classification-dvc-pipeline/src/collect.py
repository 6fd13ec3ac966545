"""iNaturalist's API → observations.csv, in the form of an export; run by hand, before `dvc repro`.

It is no stage: the site changes from day to day, and `dvc repro` must not ask it each time.
"""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run


def main(arguments: argparse.Namespace) -> str:
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


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "folder",
    type=Path,
    nargs="?",
    default=Path("data/data_from_iNaturalist"),
    help="gets observations.csv (default: %(default)s)",
)
parser.add_argument(
    "--api",
    default="https://api.inaturalist.org/v1",
    help="the API's address (default: %(default)s)",
)
parser.add_argument(
    "--force", action="store_true", help="overwrite an observations.csv that is not from here"
)

if __name__ == "__main__":
    run(main, parser)
