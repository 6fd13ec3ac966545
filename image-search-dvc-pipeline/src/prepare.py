"""An iNaturalist export → data/dataset.csv: cleaned and lifted to species."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import write_table
    from panthera_vision.io.atomic import write_json
    from panthera_vision.parameters import PrepareParameters, read_parameters
    from panthera_vision.sources.inaturalist.export import prepare_observations

    parameters = read_parameters("prepare", PrepareParameters)
    table, report = prepare_observations(arguments.observations, parameters.allowed_species)
    write_table(table, arguments.dataset)
    write_json(arguments.report, report.as_dict())
    return f"prepare: {report.summary()}; {arguments.dataset}"


parser = stage_parser(
    __doc__,
    observations="folder with observations.csv",
    dataset="the table to write",
    report="the report to write: rows kept and dropped",
)

if __name__ == "__main__":
    run(main, parser)
