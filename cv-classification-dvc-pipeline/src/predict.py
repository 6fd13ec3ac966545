"""Run `panthera predict` with this pipeline's model; see `--help`."""

from pathlib import Path

from panthera_vision.cli import predict
from panthera_vision.cli.runner import build_parser, run

PIPELINE = Path(__file__).parent.parent
MODEL = PIPELINE / "models" / "best_model.pth"

if __name__ == "__main__":
    run(predict.main, build_parser(predict, model=MODEL, settings=PIPELINE / "params.yaml"))
