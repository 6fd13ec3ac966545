"""Compare answers of predict with SpeciesNet's, and list the disagreements, worst first.

PREDICTIONS is a .csv that predict wrote; SPECIESNET is SpeciesNet's predictions.json, or a file
in MegaDetector's format with classifications. Photos are matched by the end of their paths. In the
folder are then comparison.csv, disagreements.html, and observations.csv: SpeciesNet's species as
labels to be reviewed, which `prepare` reads.
"""

import argparse
from pathlib import Path


def main(arguments: argparse.Namespace) -> str:
    """Compare the answers, write the files and return a summary."""
    from panthera_vision.detections.megadetector import open_detections
    from panthera_vision.detections.species_answers import read_species_answers
    from panthera_vision.errors import UserError
    from panthera_vision.evaluation.comparison_report import COMPARISON_FILES, write_comparison
    from panthera_vision.evaluation.model_comparison import compare_answers, read_answers

    folder: Path = arguments.out
    if folder.is_dir() and any(folder.iterdir()):
        others = [path.name for path in folder.iterdir() if path.name not in COMPARISON_FILES]
        if others or not (folder / COMPARISON_FILES[0]).exists():
            raise UserError(f"--out {folder} has other files in it; name a new folder")
    ours, species = read_answers(arguments.predictions)
    theirs = read_species_answers(open_detections(arguments.speciesnet))
    compared = compare_answers(ours, species, theirs)
    return f"compare: {write_comparison(compared, arguments.predictions, folder)}; {folder}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS", help="table of predict")
    parser.add_argument("speciesnet", type=Path, metavar="SPECIESNET", help="predictions.json")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
