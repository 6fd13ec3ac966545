"""Run `panthera init`; see `--help`."""

from panthera_vision.cli import init
from panthera_vision.cli.runner import build_parser, run

if __name__ == "__main__":
    run(init.main, build_parser(init))
