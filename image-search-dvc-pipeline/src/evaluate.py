"""Measure how well the search finds photos of the same species and perturbed copies."""

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
    from panthera_vision.search.evaluation.evaluate import evaluate_search
    from panthera_vision.search.evaluation.training_splits import splits_of
    from panthera_vision.search.index.photo_index import load_index
    from panthera_vision.search.parameters import RetrievalParameters

    configure_process()
    parameters = read_parameters("evaluate", RetrievalParameters)
    index = load_index(arguments.index)
    model = load_checkpoint(arguments.model)
    splits = splits_of(index.table, arguments.classifier_photos, model)
    paths = photo_paths(index.table, arguments.index, photo_folders(Path()))
    metrics = evaluate_search(index, model, splits, paths, parameters, arguments.results)
    shown = metrics.get("held_out", metrics["all_photos"])
    return (
        f"evaluate: {shown['queries']} queries, precision@10 {shown['precision_at_10']:.3f}, "
        f"mAP@10 {shown['map_at_10']:.3f}; perturbed copies that find their original first "
        f"{metrics['perturbed_copies']['recall_at_1']:.3f}; {arguments.results}"
    )


parser = stage_parser(
    __doc__,
    index="folder of the index",
    model="the classifier's checkpoint, which tells the splits",
    classifier_photos="photos.csv of the classification pipeline, which has the splits",
    results="folder to write: metrics, tables, plots",
)

if __name__ == "__main__":
    run(main, parser)
