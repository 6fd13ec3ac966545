"""The table's photos → data/dataset_images/<Species>/<id>.jpg, and data/photos.csv."""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.download.stage import download_table
    from panthera_vision.parameters import DownloadParameters, read_parameters

    counts = download_table(read_parameters("download", DownloadParameters), **vars(arguments))
    return f"download: {counts.summary()}; {arguments.photos}"


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("dataset", type=Path, help="the table of `prepare`")
parser.add_argument("observations", type=Path, help="folder that local addresses are relative to")
parser.add_argument("images", type=Path, help="folder for the photos")
parser.add_argument("journal", type=Path, help="notes what is fetched, photo by photo")
parser.add_argument("photos", type=Path, help="the table to write: each photo's file and outcome")
parser.add_argument("outcomes", type=Path, help="the table to write: how many photos, by outcome")
parser.add_argument("credits", type=Path, help="the table to write: whose photos, which licences")

if __name__ == "__main__":
    run(main, parser)
