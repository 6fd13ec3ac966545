"""Clean an iNaturalist export, reduce taxa to species, and divide the photos into splits."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import write_table
    from panthera_vision.data.splits import assign_splits, split_report
    from panthera_vision.io.atomic import write_json
    from panthera_vision.parameters import PrepareParameters, SplitParameters, read_parameters
    from panthera_vision.sources.inaturalist.export import EXPORT_FILE, read_observations

    prepare = read_parameters("prepare", PrepareParameters)
    split = read_parameters("split", SplitParameters)
    table, report = read_observations(arguments.observations, prepare.allowed_species)
    write_json(arguments.report, report.as_dict())  # also for a run that fails
    report.require_species(prepare.allowed_species, arguments.observations / EXPORT_FILE)
    table.insert(2, "split", assign_splits(table, **split.model_dump()))
    write_table(table, arguments.dataset)
    write_json(arguments.report, report.as_dict() | {"splits": split_report(table)})
    return f"prepare: {report.summary()}; {arguments.dataset}"


parser = stage_parser(
    __doc__,
    observations="folder with observations.csv",
    dataset="table to write",
    report="report to write: rows kept and dropped",
)

if __name__ == "__main__":
    run(main, parser)
