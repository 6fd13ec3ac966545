"""Draw the synthetic demo set: observations.csv and photos/<id>.jpg."""

import argparse
import os

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.parameters import DrawParameters, read_parameters
    from panthera_vision.synthetic import draw_demo_set

    parameters = read_parameters("draw", DrawParameters)
    photos = draw_demo_set(
        arguments.folder, **parameters.model_dump(), processes=os.cpu_count() or 1
    )
    return f"draw: {photos} synthetic pictures in {arguments.folder}"


parser = stage_parser(__doc__, folder="gets observations.csv and photos/")

if __name__ == "__main__":
    run(main, parser)
