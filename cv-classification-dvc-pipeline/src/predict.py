"""Photos → predictions.csv: the species on each, how sure, or none of these.

PHOTOS are files, folders with all below them, or tables (CSV with a column `file` or `image_url`).
An interrupted run goes on where it stopped when it is started again.
"""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run

MODEL = Path(__file__).parent.parent / "models" / "best_model.pth"


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.batch.batch_predict import batch_predict
    from panthera_vision.batch.input_files import find_photos
    from panthera_vision.inference.predictor import Predictor
    from panthera_vision.inference.process_setup import configure_process
    from panthera_vision.models.checkpoint import load_checkpoint

    configure_process()
    sources = find_photos(arguments.photos)
    report = batch_predict(
        Predictor(
            load_checkpoint(arguments.model), precision=arguments.precision, engine=arguments.engine
        ),
        sources.photos,
        arguments.out,
        batch_size=arguments.batch_size,
        threads=arguments.threads,
    )
    ignored = f", {sources.passed_over} other files passed over" if sources.passed_over else ""
    empty = f", {sources.without_file} rows without a file" if sources.without_file else ""
    return f"predict: {report.summary()}{ignored}{empty}; {arguments.out}"


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTOS", help="what to classify")
parser.add_argument(
    "--out", type=Path, required=True, help="the table to write; .csv, or .jsonl for JSON lines"
)
parser.add_argument("--model", type=Path, default=MODEL, help="default: models/best_model.pth")
parser.add_argument("--batch-size", type=positive, default=32, help="default: %(default)s")
parser.add_argument("--threads", type=positive, default=2, help="that decode; default: %(default)s")
parser.add_argument(
    "--precision",
    choices=("auto", "fp32", "bf16"),
    default="auto",
    help="what the network computes in; auto: bfloat16 where that gains much",
)
parser.add_argument(
    "--engine",
    choices=("torch", "openvino"),
    default="torch",
    help="openvino is faster on processors, and an extra (pip install openvino)",
)

if __name__ == "__main__":
    run(main, parser)
