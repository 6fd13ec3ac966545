"""Prepare your own photos for training: write observations.csv for folders named by species.

FOLDER has a folder for each species, such as Panthera_leo/1.jpg or snow_leopard/camera_1/2.jpg.
Days, times, places and photographers are those that the cameras wrote into the files (EXIF). Run it
in the pipeline's folder: it sets prepare.observations and prepare.allowed_species in params.yaml,
and `dvc repro` trains.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panthera_vision.cli.runner import add_coordinates_argument

if TYPE_CHECKING:
    from panthera_vision.sources.photo_tree import PhotoTree


def main(arguments: argparse.Namespace) -> str:
    """Write the table, set the pipeline's settings and return a summary."""
    from panthera_vision.sources.photo_tree import read_photo_tree

    table = arguments.out or arguments.folder / "observations.csv"
    tree = read_photo_tree(
        arguments.folder,
        table.parent,
        labels=arguments.labels,
        coordinates=arguments.coordinates,
    )
    written = _write(tree, table, force=arguments.force)
    settings = _settings(tree, table, arguments.folder)
    return f"init: {tree.summary()}; {table}{written}; {_apply(settings, force=arguments.force)}"


def _write(tree: "PhotoTree", table: Path, *, force: bool) -> str:
    """Write the rows, unless an earlier table differs; return a phrase where it is the same."""
    import pandas as pd

    from panthera_vision.data.photo_table import read_table, write_table
    from panthera_vision.errors import UserError
    from panthera_vision.sources.photo_tree import COLUMNS

    if table.suffix.lower() != ".csv" or table.is_dir():
        raise UserError(f"--out {table}: name the table to write, such as {table}/observations.csv")
    rows = pd.DataFrame(tree.rows, columns=list(COLUMNS), dtype=str)
    if table.exists() and not force:
        earlier = read_table(table, ())
        if list(earlier) == list(COLUMNS) and earlier.to_dict("records") == tree.rows:
            return " is up to date"
        before = set(earlier["id"]) if "id" in earlier else set()
        new, gone = len(set(rows["id"]) - before), len(before - set(rows["id"]))
        raise UserError(
            f"{table} is there already and differs ({new} rows are new, {gone} are gone, or it was "
            "edited); --force overwrites it"
        )
    write_table(rows, table)
    return ""


def _settings(tree: "PhotoTree", table: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the settings with which the pipeline trains on the table."""
    settings: dict[str, dict[str, Any]] = {
        "prepare": {
            "observations": table.parent.as_posix(),
            "allowed_species": tree.trainable_species(),
        }
    }
    if not folder.resolve().is_relative_to(table.parent.resolve()):
        settings["download"] = {"local_photos": folder.as_posix()}
    return settings


def _apply(settings: dict[str, dict[str, Any]], *, force: bool) -> str:
    """Set them in the params.yaml of the working directory, or return what to set."""
    from panthera_vision.cli.pipeline_settings import change_settings
    from panthera_vision.parameters import PrepareParameters, read_parameters
    from panthera_vision.sources.inaturalist.export import EXPORT_FILE
    from panthera_vision.sources.photo_tree import MIN_PHOTOS

    file = Path("params.yaml")
    wanted = "; ".join(
        f"{section}.{key}: {value if isinstance(value, str) else '[' + ', '.join(value) + ']'}"
        for section, values in settings.items()
        for key, value in values.items()
    )
    if not settings["prepare"]["allowed_species"]:
        return f"no species has {MIN_PHOTOS} photos, too few to train"
    if not file.exists() or "prepare:" not in file.read_text(encoding="utf-8"):
        return f"set in the pipeline's params.yaml: {wanted}"
    current = read_parameters("prepare", PrepareParameters).observations
    target = Path(settings["prepare"]["observations"])
    is_other = (current / EXPORT_FILE).exists() and current.resolve() != target.resolve()
    if is_other and not force:
        return f"params.yaml trains on {current}; --force sets {wanted}"
    changed = change_settings(file, settings)
    return f"params.yaml: {wanted}; train with `dvc repro`" if changed else "params.yaml is set"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="folder with a folder of photos for each species")
    parser.add_argument(
        "--out", type=Path, help="table to write; default: observations.csv in the folder"
    )
    parser.add_argument(
        "--labels",
        type=Path,
        help="CSV table with a column file and a column species, for photos in one folder",
    )
    add_coordinates_argument(parser)
    parser.add_argument(
        "--force",
        action="store_true",
        help="overwrite another table, and settings that name other observations",
    )
