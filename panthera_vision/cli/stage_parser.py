"""Build the command line of a stage script: one required path option for each input and output."""

import argparse
from pathlib import Path


def stage_parser(description: str | None, **paths: str) -> argparse.ArgumentParser:
    """Return a parser with an option `--name PATH` for each of `paths`, its value the help text."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, words in paths.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=Path, required=True, metavar="PATH", help=words)
    return parser
