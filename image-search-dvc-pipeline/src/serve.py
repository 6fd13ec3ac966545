"""Run `panthera serve` with this pipeline's model and index; see `--help`."""

from pathlib import Path

from panthera_vision.cli import serve
from panthera_vision.cli.runner import build_parser, run

PIPELINE = Path(__file__).resolve().parent.parent
SETTINGS = PIPELINE.parent / "cv-classification-dvc-pipeline" / "params.yaml"
MODEL = PIPELINE / "model_weights" / "best_model.pth"

if __name__ == "__main__":
    index = PIPELINE / "faiss_index"
    run(serve.main, build_parser(serve, model=MODEL, index=index, settings=SETTINGS))
