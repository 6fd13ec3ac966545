"""Classify photos: write a table with the species on each, or "none of these".

PHOTOS are files, folders (with their subfolders), or tables: CSV with a column `file` or
`image_url`, or the output of predict or search; or a Camtrap DP package (its folder,
datapackage.json or ZIP archive), alone. An interrupted run continues where it stopped when you
start it again. Without --model, the pretrained network answers, which needs no training and knows
the species that ImageNet has a class for.

With --detections, PHOTOS is the folder on which MegaDetector, AddaxAI or SpeciesNet was run, or
such a package. Each animal is cut out and classified; photos without detections are "blank", and
persons and vehicles are only named so.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from panthera_vision.cli.model_choice import (
    add_model_arguments,
    chosen_checkpoint,
    load_chosen_model,
)
from panthera_vision.cli.runner import (
    add_batch_arguments,
    add_coordinates_argument,
    add_detection_arguments,
)
from panthera_vision.errors import UserError

if TYPE_CHECKING:
    from panthera_vision.batch.batch_items import BatchItems
    from panthera_vision.batch.batch_predict import BatchOptions
    from panthera_vision.batch.input_files import InputFiles
    from panthera_vision.models.checkpoint import TrainedModel
    from panthera_vision.sources.camtrap_dp.package import CamtrapPackage


def main(arguments: argparse.Namespace) -> str:
    """Classify the photos, write the table and return a summary."""
    from dataclasses import replace

    from panthera_vision.batch.batch_items import BatchItems, file_items
    from panthera_vision.batch.batch_predict import batch_predict
    from panthera_vision.batch.camtrap_package import (
        PREDICTIONS_FILE,
        CamtrapOutput,
        check_package_output,
        find_package_photos,
        package_named_by,
    )
    from panthera_vision.batch.detection_items import CropOptions, DetectionItems
    from panthera_vision.batch.encounter_predictions import parse_group_by, with_groups
    from panthera_vision.detections.megadetector import open_detections
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process

    configure_process()
    group_by, column = (
        parse_group_by(arguments.group_by) if arguments.group_by is not None else (None, "")
    )
    if group_by and arguments.out.suffix.lower() == ".json":
        raise UserError("--group-by adds columns, which only a table has: --out .csv or .jsonl")
    package = package_named_by(arguments.photos)
    out = arguments.out
    if package and not out.suffix:
        check_package_output(out, package)
        out = out / PREDICTIONS_FILE
    fetched = _download(arguments, package)
    in_package = find_package_photos(package, column, fetched) if package else None
    inputs = in_package.inputs() if in_package else _find_inputs(arguments, column)
    _check_outputs(arguments, out, inputs.photos)
    source = open_detections(arguments.detections) if arguments.detections else None
    model = load_chosen_model(arguments)
    items: BatchItems
    if source:
        folder = package.folder if package else arguments.photos[0]
        side = model.preprocessing.min_decoded_side
        crops = CropOptions(arguments.detection_threshold, arguments.margin, side)
        items = DetectionItems(source, folder, crops)
        print(f"predict: {items.description()}", flush=True)
    else:
        items = file_items(inputs.photos, [path for path in arguments.photos if path.is_dir()])
    options = _options(arguments, model, items)
    if in_package and out != arguments.out:
        written = CamtrapOutput(in_package, arguments.out, model.fingerprint)
        options = replace(options, outputs=(*options.outputs, written))
    if group_by:
        options = with_groups(options, group_by, inputs.cells, model.ood_threshold)
    predictor = Predictor(model, precision=arguments.precision, engine=arguments.engine)
    summary = batch_predict(predictor, items, out, options)
    note = items.listing.note() if isinstance(items, DetectionItems) else inputs.skipped_note()
    note += in_package.note() if in_package else ""
    line = f"predict: {summary}{note}{_answered_by(model)}; {arguments.out}"
    if inputs.listing.unreadable:
        print(line, flush=True)
        inputs.require_readable()
    return line


def _download(arguments: argparse.Namespace, package: "CamtrapPackage | None") -> dict[str, Path]:
    """Download the photos of a package if that is asked for; return address → file."""
    from panthera_vision.errors import UserError

    if not arguments.download:
        return {}
    if package is None or arguments.out.suffix:
        raise UserError("--download is for a Camtrap DP package, with a folder as --out")
    from panthera_vision.batch.camtrap_package import DOWNLOAD_LOG
    from panthera_vision.download.package_photos import fetch_package_photos
    from panthera_vision.parameters import DownloadParameters

    log = arguments.out / DOWNLOAD_LOG
    files, counts = fetch_package_photos(
        package, arguments.out, log, DownloadParameters.model_validate({})
    )
    print(f"predict: download: {counts.summary()}", flush=True)
    return files


def _answered_by(model: "TrainedModel") -> str:
    """Say what answered, if it was not trained on photos of the user's."""
    from panthera_vision.models.pretrained import describe_model, is_pretrained

    if is_pretrained(model) or model.training.get("synthetic_photos"):
        return f"; by {describe_model(model)}"
    return ""


def _find_inputs(arguments: argparse.Namespace, column: str) -> "InputFiles":
    """Return the photos that the command line names; none where a detector's file names them."""
    from panthera_vision.batch.detection_items import require_one_folder
    from panthera_vision.batch.input_files import InputFiles, find_photos

    if not arguments.detections:
        return find_photos(arguments.photos, column)
    require_one_folder(arguments.photos, column)
    return InputFiles()


def _check_outputs(arguments: argparse.Namespace, out: Path, photos: list[Path]) -> None:
    from panthera_vision.batch.output_file import check_output
    from panthera_vision.batch.output_formats import WRITERS
    from panthera_vision.batch.sort_into import SortInto

    used = (chosen_checkpoint(arguments), arguments.detections)
    inputs = [*arguments.photos, *(path for path in used if path), *photos]
    check_output(out, (*WRITERS, ".json"), inputs)
    if arguments.sort_into:
        SortInto(arguments.sort_into, arguments.sort_by).check(arguments.photos)


def _options(
    arguments: argparse.Namespace, model: "TrainedModel", items: "BatchItems"
) -> "BatchOptions":
    from dataclasses import replace

    from panthera_vision.batch.batch_predict import BatchOptions
    from panthera_vision.batch.detection_items import DetectionItems
    from panthera_vision.batch.megadetector_json import MegaDetectorJson
    from panthera_vision.batch.output_formats import BOX_COLUMNS, COLUMNS, WRITERS
    from panthera_vision.batch.sort_into import SortInto

    boxes = items if isinstance(items, DetectionItems) else None
    source = boxes.source if boxes else None
    megadetector = MegaDetectorJson(model.fingerprint, model.class_names, source)
    sort_into = arguments.sort_into
    options = BatchOptions(
        arguments.batch_size,
        arguments.threads,
        coordinates=arguments.coordinates,
        writers={**WRITERS, ".json": megadetector},
        outputs=[SortInto(sort_into, arguments.sort_by)] if sort_into else [],
    )
    if boxes is None:
        return options
    return replace(
        options,
        columns=(*COLUMNS, *BOX_COLUMNS),
        phrases=("answers", "without an answer"),
        settings=boxes.settings(),
    )


def add_arguments(
    parser: argparse.ArgumentParser, model: Path | None = None, settings: Path | None = None
) -> None:
    """Declare the arguments; `model` and `settings` are those of a pipeline."""
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTOS", help="photos to classify")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="file to write: .csv, .jsonl for JSON lines, .json in MegaDetector's format; or a "
        "folder for a Camtrap DP package",
    )
    parser.add_argument(
        "--group-by",
        metavar="folder|gap[:MINUTES]|COLUMN",
        help="one answer for all photos of an encounter besides: those in one folder, those "
        "taken within a gap of at most MINUTES (default: 30) in one folder by their EXIF time, or "
        "those with the same cell in a column of the table, such as observation_id",
    )
    parser.add_argument(
        "--download",
        action="store_true",
        help="fetch the photos of a Camtrap DP package that are at web addresses into --out first",
    )
    add_model_arguments(parser, model, settings)
    add_detection_arguments(parser)
    parser.add_argument(
        "--sort-into",
        type=Path,
        metavar="FOLDER",
        help="link or copy the photos into subfolders by answer and confidence, too",
    )
    parser.add_argument(
        "--sort-by", choices=("link", "copy"), default="link", help="default: %(default)s"
    )
    add_batch_arguments(parser)
    add_coordinates_argument(parser)
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
