"""Run `panthera search` with this pipeline's model and index; see `--help`."""

from pathlib import Path

from panthera_vision.cli import search
from panthera_vision.cli.runner import build_parser, run

PIPELINE = Path(__file__).resolve().parent.parent
MODEL = PIPELINE / "model_weights" / "best_model.pth"

if __name__ == "__main__":
    run(search.main, build_parser(search, model=MODEL, index=PIPELINE / "faiss_index"))
