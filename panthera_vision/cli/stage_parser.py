"""Build the command line of a stage script: one required path option for each input and output."""

import argparse
from pathlib import Path

# Outputs of the stages that download photos, by option; the fields of `DownloadFiles`.
DOWNLOAD_OUTPUTS = {
    "images": "folder for the photos that are not on disk yet",
    "log": "download log, from which an interrupted run resumes",
    "photos": "table to write: file, SHA-256 and outcome of each photo",
    "outcomes": "table to write: number of photos by outcome",
    "credits": "table to write: attribution and license of each photo",
}


def stage_parser(description: str | None, **paths: str) -> argparse.ArgumentParser:
    """Return a parser with an option `--name PATH` for each of `paths`, its value the help text."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, words in paths.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=Path, required=True, metavar="PATH", help=words)
    return parser
