"""The classifier's checkpoint → model_weights/best_model.pth; one put there by hand stays."""

import argparse
from pathlib import Path

from panthera_vision.cli.runner import run


def main(arguments: argparse.Namespace) -> str:
    from panthera_vision.models.import_checkpoint import import_checkpoint

    return f"import_checkpoint: {import_checkpoint(arguments.source, arguments.folder)}"


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("source", type=Path, help="the checkpoint to bring over")
parser.add_argument("folder", type=Path, help="gets best_model.pth, and brought.json about it")

if __name__ == "__main__":
    run(main, parser)
