"""Classify photos: write a table with the species on each, or "none of these".

PHOTOS are files, folders (with their subfolders), or tables: CSV with a column `file` or
`image_url`, or the output of predict or search; or a Camtrap DP package (its folder,
datapackage.json or ZIP archive), alone. An interrupted run continues where it stopped when you
start it again.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from panthera_vision.cli.runner import add_batch_arguments, add_path_argument


def main(arguments: argparse.Namespace) -> str:
    """Classify the photos, write the table and return a summary."""
    from panthera_vision.batch.batch_items import file_items
    from panthera_vision.batch.batch_predict import BatchOptions, batch_predict
    from panthera_vision.batch.camtrap_package import (
        PREDICTIONS_FILE,
        CamtrapOutput,
        check_package_output,
        find_package_photos,
        package_named_by,
    )
    from panthera_vision.batch.encounter_predictions import parse_group_by, with_groups
    from panthera_vision.batch.input_files import find_photos
    from panthera_vision.batch.output_file import check_output
    from panthera_vision.batch.output_formats import WRITERS
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_checkpoint

    configure_process()
    group_by, column = parse_group_by(arguments.group_by) if arguments.group_by else (None, "")
    package = package_named_by(arguments.photos)
    in_package = find_package_photos(package, column) if package else None
    inputs = in_package.inputs() if in_package else find_photos(arguments.photos, column)
    out = arguments.out
    if package and not out.suffix:
        check_package_output(out, package)
        out = out / PREDICTIONS_FILE
    check_output(out, WRITERS, [*arguments.photos, arguments.model, *inputs.photos])
    model = load_checkpoint(arguments.model)
    options = BatchOptions(arguments.batch_size, arguments.threads)
    if in_package and out != arguments.out:
        written = CamtrapOutput(in_package, arguments.out, model.fingerprint)
        options = replace(options, outputs=(*options.outputs, written))
    if group_by:
        options = with_groups(options, group_by, inputs.cells, model.ood_threshold)
    summary = batch_predict(
        Predictor(model, precision=arguments.precision, engine=arguments.engine),
        file_items(inputs.photos),
        out,
        options,
    )
    line = f"predict: {summary}{inputs.skipped_note()}; {arguments.out}"
    if inputs.listing.unreadable:
        print(line, flush=True)
        inputs.require_readable()
    return line


def add_arguments(parser: argparse.ArgumentParser, model: Path | None = None) -> None:
    """Declare the arguments; `--model` is required unless a default is given."""
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTOS", help="photos to classify")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="table to write: .csv, or .jsonl for JSON lines; a folder for a Camtrap DP package",
    )
    parser.add_argument(
        "--group-by",
        metavar="folder|gap[:MINUTES]|COLUMN",
        help="one answer for all photos of an encounter besides: those in one folder, those "
        "taken within a gap of at most MINUTES (default: 30) in one folder by their EXIF time, or "
        "those with the same cell in a column of the table, such as observation_id",
    )
    add_path_argument(parser, "--model", model, "checkpoint (best_model.pth)")
    add_batch_arguments(parser)
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default="auto",
        help="numeric precision; auto: bfloat16 if faster on this machine and accurate enough",
    )
    parser.add_argument(
        "--engine",
        choices=("torch", "openvino"),
        default="torch",
        help="openvino is faster on CPUs (pip install 'panthera-vision[openvino]')",
    )
