"""List near-duplicates across splits and doubtful labels, as two tables and a page of photos."""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    import numpy as np

    from panthera_vision.data.photo_folders import photo_folders
    from panthera_vision.data.photo_table import photo_paths
    from panthera_vision.data.spreadsheet_csv import write_table_for_people
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.parameters import CurateParameters, read_parameters
    from panthera_vision.search.evaluation import data_quality
    from panthera_vision.search.evaluation.evaluate import results_among
    from panthera_vision.search.evaluation.training_splits import splits_of
    from panthera_vision.search.index.photo_index import load_index

    configure_process()
    parameters = read_parameters("curate", CurateParameters)
    index = load_index(arguments.index)
    table, everything = index.table, np.arange(len(index.table))
    splits = splits_of(table, arguments.classifier_photos, load_checkpoint(arguments.model))
    paths = photo_paths(table, arguments.index, photo_folders(Path()))
    duplicates = data_quality.duplicates_across_splits(
        table, splits, index.groups, index.all_vectors()
    )
    disagreeing = data_quality.disagreeing_neighbors(
        table, splits, results_among(index, everything, everything), parameters.min_neighbor_share
    )
    write_table_for_people(duplicates, arguments.duplicates)
    write_table_for_people(disagreeing, arguments.disagreeing)
    data_quality.write_curation_page(table, paths, duplicates, disagreeing, arguments.page)
    groups = duplicates["group"].nunique()
    return (
        f"curate: {groups} groups of near-duplicates lie in several splits; the neighbours of "
        f"{len(disagreeing)} of {len(table)} photos are of another species; {arguments.page}"
    )


parser = stage_parser(
    __doc__,
    index="folder of the index",
    model="model checkpoint that embedded the photos",
    classifier_photos="photos.csv of the classification pipeline, which has the splits",
    duplicates="table to write: near-duplicates across splits",
    disagreeing="table to write: photos among neighbors of another species",
    page="page to write: the photos of both tables",
)

if __name__ == "__main__":
    run(main, parser)
