"""Train on photos that people labeled in the review: a source of its own, beside the observations.

The folder has a folder for each species, as `panthera init` wants it, and the table that it writes.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import write_table
from panthera_vision.data.splits import GroupBy, observation_groups
from panthera_vision.data.taxonomy import folder_name
from panthera_vision.io.atomic import atomic_write, sha256_of_file
from panthera_vision.io.urls import is_local
from panthera_vision.sources.inaturalist.export import EXPORT_FILE
from panthera_vision.sources.observations import read_observations
from panthera_vision.sources.photo_tree import COLUMNS, PhotoTree, read_photo_tree

_NAME_DIGITS = 16  # of the SHA-256 in the names of files


@dataclass(frozen=True)
class Photographer:
    """Name who took the photos, and when, where the files' EXIF data do not tell."""

    name: str = ""
    day: str = ""


def export_labeled_photos(
    folder: Path, species_of: Mapping[Path, str], photographer: Photographer | None = None
) -> PhotoTree:
    """Copy labeled photos into `folder`, and write the table of all photos there.

    A photo that is there under another species moves. Run again, it changes nothing.

    Args:
        folder: gets <Species>/<SHA-256>.<suffix> and observations.csv.
        species_of: the species of each photo file.
        photographer: for photos without EXIF data.

    Returns:
        All photos of the folder.

    Raises:
        UserError: no photo can be read.
        OSError: a photo can't be copied.
    """
    for photo, species in species_of.items():
        name = f"{sha256_of_file(photo)[:_NAME_DIGITS]}{photo.suffix.lower()}"
        target = folder / folder_name(species) / name
        for other in folder.glob(f"*/{name}"):
            if other != target:
                other.unlink()
        if not target.exists():
            with atomic_write(target) as partial:
                shutil.copyfile(photo, partial)
    tree = read_photo_tree(folder, folder)
    given = photographer or Photographer()
    for row in tree.rows:
        row["observed_on"] = row["observed_on"] or given.day
        row["user_login"] = row["user_login"] or given.name
    rows = pd.DataFrame(tree.rows, columns=list(COLUMNS), dtype=str)
    write_table(rows, folder / EXPORT_FILE)
    return tree


def read_labeled_photos(
    folder: Path, observations: Path, allowed_species: Sequence[str]
) -> pd.DataFrame | None:
    """Return the labeled photos with addresses relative to `observations`; None if there are none.

    Raises:
        UserError: their table is invalid.
    """
    if not (folder / EXPORT_FILE).is_file():
        return None
    table, _ = read_observations(folder, allowed_species)
    nearer = os.path.relpath(folder.resolve(), observations.resolve())
    table["image_url"] = [
        (Path(nearer) / address).as_posix() if is_local(address) else address
        for address in table["image_url"]
    ]
    return table


def add_to_training(
    table: pd.DataFrame, labeled: pd.DataFrame | None, group_by: GroupBy
) -> tuple[pd.DataFrame, str]:
    """Append labeled photos to a table with splits, as training photos.

    People label what the model is unsure of, so these photos would distort a test. Those of an
    observer's day (or group) that the table has already go into its split. No other photo moves.

    Args:
        table: with the column split.
        labeled: without; None: there are none.
        group_by: as for the splits.

    Returns:
        The table and a phrase, "" without labeled photos.
    """
    if labeled is None or labeled.empty:
        return table, ""
    new = labeled[~labeled["id"].isin(table["id"])].copy()
    for column in set(table) | set(new):
        for each in (table, new):
            if column not in each and column != "split":
                each[column] = ""
    known = dict(zip(observation_groups(table, group_by), table["split"], strict=True))
    groups = observation_groups(new, group_by)
    new["split"] = [known.get(group, "train") for group in groups]
    together = pd.concat([table, new[list(table)]], ignore_index=True)
    return together, f"{len(new)} photos labeled in the review were added"
