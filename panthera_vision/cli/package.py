"""Make a Camtrap DP package of a folder of photos, with a subfolder for each deployment.

The table of deployments has the columns deploymentID (the name of the subfolder), latitude and
longitude, and perhaps others of Camtrap DP; utc_offset (such as +05:45) for cameras that write no
time zone. The package is written into the folder; `predict FOLDER --out OTHER` adds observations.
"""

import argparse
from pathlib import Path


def main(arguments: argparse.Namespace) -> str:
    """Write the package and return a summary."""
    from panthera_vision.sources.camtrap_dp.folder_package import (
        CAPTURE_METHODS,
        SAMPLING_DESIGNS,
        ProjectInfo,
        make_package,
    )

    for name, value, allowed in (
        ("sampling-design", arguments.sampling_design, SAMPLING_DESIGNS),
        ("capture-method", arguments.capture_method, CAPTURE_METHODS),
    ):
        _check(name, value, allowed)
    project = ProjectInfo(
        arguments.title, arguments.contact, arguments.sampling_design, arguments.capture_method
    )
    made = make_package(arguments.folder, arguments.deployments, project, force=arguments.force)
    return f"package: {made.summary()}; {arguments.folder}"


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    from panthera_vision.errors import UserError, list_names

    if value not in allowed:
        raise UserError(f"--{name} {value}: allowed are {list_names(allowed)}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the photos")
    parser.add_argument(
        "--deployments", type=Path, required=True, metavar="CSV", help="table of the deployments"
    )
    parser.add_argument("--title", required=True, help="of the project")
    parser.add_argument("--contact", required=True, metavar="NAME", help="person or organization")
    parser.add_argument(
        "--sampling-design", required=True, metavar="DESIGN", help="such as opportunistic"
    )
    parser.add_argument(
        "--capture-method",
        default="activityDetection",
        metavar="METHOD",
        help="activityDetection or timeLapse; default: %(default)s",
    )
    parser.add_argument("--force", action="store_true", help="replace tables of an earlier run")
