"""Clean observations, reduce their taxa to species, and divide the photos into splits."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import write_table
    from panthera_vision.data.splits import assign_splits, split_report
    from panthera_vision.io.atomic import write_json
    from panthera_vision.parameters import (
        DownloadParameters,
        PrepareParameters,
        SplitParameters,
        read_parameters,
    )
    from panthera_vision.sources.observations import read_observations
    from panthera_vision.sources.own_photos import group_own_photos

    folder = arguments.observations
    prepare = read_parameters("prepare", PrepareParameters)
    split = read_parameters("split", SplitParameters)
    photos_root = read_parameters("download", DownloadParameters).photos_root(folder)
    table, report = read_observations(
        folder, prepare.allowed_species, with_specimens=prepare.specimens
    )
    write_json(arguments.report, report.as_dict())  # also for a run that fails
    report.require_species()
    encounters = group_own_photos(table, folder, photos_root, split.gap_minutes)
    table = encounters.add_to(table)
    table.insert(2, "split", assign_splits(table, **split.model_dump(exclude={"gap_minutes"})))
    write_table(table, arguments.dataset)
    write_json(
        arguments.report,
        report.as_dict() | encounters.as_dict() | {"splits": split_report(table)},
    )
    return f"prepare: {report.summary()}; {encounters.summary()}; {arguments.dataset}"


parser = stage_parser(
    __doc__,
    observations="folder with the observations",
    dataset="table to write",
    report="report to write: rows kept and dropped",
)

if __name__ == "__main__":
    run(main, parser)
