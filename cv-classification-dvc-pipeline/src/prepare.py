"""Clean observations, reduce their taxa to species, and divide the photos into splits."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.apply_corrections import apply_corrections
    from panthera_vision.data.corrections import read_corrections
    from panthera_vision.data.photo_table import write_table
    from panthera_vision.data.splits import assign_splits, split_report
    from panthera_vision.io.atomic import write_json
    from panthera_vision.parameters import (
        DownloadParameters,
        PrepareParameters,
        SplitParameters,
        read_parameters,
    )
    from panthera_vision.sources.labeled_photos import add_to_training, read_labeled_photos
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
    labeled = read_labeled_photos(arguments.labeled, folder, prepare.allowed_species)
    table, added = add_to_training(table, labeled, split.group_by)
    corrections = read_corrections(arguments.corrections)
    table, applied = apply_corrections(table, corrections, prepare.allowed_species)
    write_table(table, arguments.dataset)
    write_json(
        arguments.report,
        report.as_dict()
        | encounters.as_dict()
        | applied.as_dict()
        | {"splits": split_report(table)},
    )
    phrases = [report.summary(), encounters.summary(), added, applied.summary()]
    return f"prepare: {'; '.join(filter(None, phrases))}; {arguments.dataset}"


parser = stage_parser(
    __doc__,
    observations="folder with the observations",
    labeled="folder of photos that people labeled in the review, which need not have any",
    corrections="table of what people decided about single photos",
    dataset="table to write",
    report="report to write: rows kept and dropped",
)

if __name__ == "__main__":
    run(main, parser)
