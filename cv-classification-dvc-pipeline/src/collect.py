"""Run `panthera collect`; see `--help`."""

from panthera_vision.cli import collect
from panthera_vision.cli.runner import build_parser, run

if __name__ == "__main__":
    run(collect.main, build_parser(collect))
