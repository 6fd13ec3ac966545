"""The best model on the held-out test photos → metrics, report and confusion matrix."""

import argparse
from pathlib import Path

from panthera_vision.command import run


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.evaluation.error_analysis import write_error_analysis
    from panthera_vision.evaluation.results import write_results
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.models.inference import Predictor
    from panthera_vision.parameters import EvaluateParameters, read_parameters
    from panthera_vision.photo_table import of_split, photo_paths, read_photos

    parameters = read_parameters("evaluate", EvaluateParameters)
    test = of_split(read_photos(arguments.photos, splits=True), "test")
    model = load_checkpoint(arguments.model)
    paths = photo_paths(test, Path.cwd(), [arguments.images])
    logits = Predictor(model).logits_of_files(
        paths,
        batch_size=parameters.batch_size,
        threads=parameters.decoding_threads,
    )
    metrics = write_results(test, logits, model.temperature, model.class_names, arguments.results)
    write_error_analysis(
        test, paths, logits, model.temperature, model.class_names, arguments.results
    )
    return (
        f"evaluate: {len(test)} test photos, accuracy {metrics['accuracy']:.3f}, "
        f"macro F1 {metrics['macro_f1']:.3f}; {arguments.results}"
    )


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("photos", type=Path, help="the table of `download`")
parser.add_argument("images", type=Path, help="the folder that all photos must lie in")
parser.add_argument("model", type=Path, help="the checkpoint of `train`")
parser.add_argument("results", type=Path, help="folder for metrics, report and pictures")

if __name__ == "__main__":
    run(main, parser)
