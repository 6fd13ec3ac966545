"""Example photos, for a first try without a photo of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import photo_path
from panthera_vision.errors import UserError


@dataclass(frozen=True)
class Example:
    """A photo of the collection that visitors may try.

    Attributes:
        id: of the observation.
        species: as the observers have named it.
        path: the photo's file.
        attribution: whom to credit.
        license: the licence's code; empty for none.
        observation_url: where to read on.
    """

    id: str
    species: str
    path: Path
    attribution: str
    license: str
    observation_url: str


def choose_examples(
    photos: pd.DataFrame, folder: Path, roots: Sequence[Path], per_species: int = 1
) -> list[Example]:
    """Some photos of each species, the same at every start, whose files are there.

    Test photos where the table has splits: the model has not learnt from those. They are taken as
    they come, not by how well the model does on them.

    Args:
        photos: the rows to choose from.
        folder: which their files are relative to.
        roots: the folders that files must lie in.
        per_species: how many of each.
    """
    if "split" in photos:
        photos = photos[photos["split"] == "test"]
    resolved = [root.resolve() for root in roots]
    chosen: list[Example] = []
    for _, rows in photos.groupby("species", sort=True):
        by_chance = sorted(rows.to_dict("records"), key=lambda row: _chance(str(row["id"])))
        found = 0
        for row in by_chance:
            try:
                path = photo_path(str(row["file"]), folder, resolved)
            except UserError:
                continue
            if found < per_species and path.is_file():
                found += 1
                chosen.append(_example({str(name): str(cell) for name, cell in row.items()}, path))
    return chosen


def _example(row: dict[str, str], path: Path) -> Example:
    return Example(
        id=row["id"],
        species=row["species"],
        path=path,
        attribution=row.get("attribution", ""),
        license=row.get("license", ""),
        observation_url=row.get("observation_url", ""),
    )


def _chance(identity: str) -> str:
    return sha256(identity.encode()).hexdigest()
