"""List near-duplicates across splits and doubtful labels, as two tables and a page of photos."""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_folders import photo_folders
    from panthera_vision.data.photo_table import photo_paths
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.parameters import read_parameters
    from panthera_vision.search.evaluation.data_quality import CurationFiles, write_curation
    from panthera_vision.search.evaluation.training_splits import splits_of
    from panthera_vision.search.index.photo_index import load_index
    from panthera_vision.search.parameters import CurateParameters

    configure_process()
    index = load_index(arguments.index)
    summary = write_curation(
        index,
        photo_paths(index.table, arguments.index, photo_folders(Path())),
        splits_of(index.table, arguments.classifier_photos, load_checkpoint(arguments.model)),
        read_parameters("curate", CurateParameters),
        CurationFiles(arguments.duplicates, arguments.disagreeing, arguments.page),
    )
    return f"curate: {summary}; {arguments.page}"


parser = stage_parser(
    __doc__,
    index="folder of the index",
    model="the classifier's checkpoint, which tells the splits",
    classifier_photos="photos.csv of the classification pipeline, which has the splits",
    duplicates="table to write: near-duplicates across splits",
    disagreeing="table to write: photos among neighbors of another species",
    page="page to write: the photos of both tables",
)

if __name__ == "__main__":
    run(main, parser)
