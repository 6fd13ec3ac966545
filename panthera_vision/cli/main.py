"""Run the command `panthera` with its subcommands, such as predict and search."""

import argparse

from panthera_vision import __version__
from panthera_vision.cli import (
    collect,
    compare,
    corrections,
    init,
    package,
    predict,
    propose,
    search,
    serve,
)
from panthera_vision.cli.runner import run

COMMANDS = {
    "predict": predict,
    "compare": compare,
    "package": package,
    "search": search,
    "serve": serve,
    "collect": collect,
    "init": init,
    "propose": propose,
    "corrections": corrections,
}


def main(argv: list[str] | None = None) -> None:
    """Run the subcommand that the command line names."""
    parser = argparse.ArgumentParser(
        prog="panthera",
        description="Classify photos of big cats (genus Panthera) and search similar ones.",
    )
    parser.add_argument("--version", action="version", version=f"panthera {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=(command.__doc__ or "").partition("\n")[0],
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(command=command.main)
    run(lambda arguments: arguments.command(arguments), parser, argv)
