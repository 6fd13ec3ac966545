"""Import the classifier's checkpoint; keep a model_weights/best_model.pth put there by hand."""

import argparse

from panthera_vision.cli.runner import run
from panthera_vision.cli.stage_parser import stage_parser


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.models.import_checkpoint import import_checkpoint

    return f"import_model: {import_checkpoint(arguments.checkpoint, arguments.folder)}"


parser = stage_parser(
    __doc__,
    checkpoint="the checkpoint to import",
    folder="gets best_model.pth, and imported.json about it",
)

if __name__ == "__main__":
    run(main, parser)
