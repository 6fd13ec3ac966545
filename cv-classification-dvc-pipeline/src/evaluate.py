"""The best model on the held-out test photos → metrics, pictures, tables and the model card."""

import argparse
from functools import partial

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.data.photo_table import of_split, photo_paths, read_photos, rebase_files
    from panthera_vision.evaluation.error_analysis import write_error_analysis
    from panthera_vision.evaluation.model_card import model_card
    from panthera_vision.evaluation.model_outputs import ModelOutputs
    from panthera_vision.evaluation.other_source import measure_other_source
    from panthera_vision.evaluation.report import write_results
    from panthera_vision.images.readable import readable_photos
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.io.atomic import write_text
    from panthera_vision.models.checkpoint import load_checkpoint
    from panthera_vision.parameters import EvaluateParameters, read_parameters

    configure_process()
    parameters = read_parameters("evaluate", EvaluateParameters)
    others, left_out = (
        readable_photos(folder, "evaluate.other_photos", parameters.num_threads)
        if (folder := parameters.other_photos)
        else ([], "")
    )
    photos = read_photos(arguments.photos, splits=True)
    test = of_split(photos, "test")
    model = load_checkpoint(arguments.model)
    # float32, for the same figures on every machine.
    outputs_of_files = partial(
        Predictor(model, precision="fp32").outputs_of_files,
        batch_size=parameters.batch_size,
        threads=parameters.num_threads,
    )
    elsewhere, left_out_elsewhere = measure_other_source(
        parameters.other_source,
        lambda paths: ModelOutputs.of(model, outputs_of_files(paths)),
        model.class_names,
        arguments.results,
        parameters.num_threads,
    )
    paths = photo_paths(test, arguments.photos.parent, [arguments.images])
    found = outputs_of_files(paths)
    scores_of_others = outputs_of_files(others).ood_scores.numpy() if others else None
    outputs = ModelOutputs.of(model, found, scores_of_others)
    listed = rebase_files(test, arguments.photos.parent, arguments.results)
    metrics, certainty = write_results(listed, outputs, arguments.results)
    write_error_analysis(test, paths, outputs, arguments.results)
    certainty["other_source"] = elsewhere
    write_text(
        arguments.model_card, model_card(model, photos, test, outputs.logits, metrics, certainty)
    )
    line = (
        f"evaluate: {len(test)} test photos, accuracy {metrics['accuracy']:.3f}, "
        f"macro F1 {metrics['macro_f1']:.3f}"
    )
    if elsewhere["photos"]:
        line += f"; {elsewhere['photos']} of another source, {elsewhere['accuracy']:.3f}"
    line += f"; {arguments.results}, {arguments.model_card}"
    return "; ".join(filter(None, [line, left_out, left_out_elsewhere]))


parser = stage_parser(
    __doc__,
    photos="the table of `download`",
    images="the folder that all photos must lie in",
    model="the checkpoint of `train`",
    results="folder for metrics, report and pictures",
    model_card="the model card to write",
)

if __name__ == "__main__":
    run(main, parser)
