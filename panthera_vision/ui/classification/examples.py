"""Choose example photos, for visitors without a photo of their own."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pandas as pd

from panthera_vision.errors import UserError
from panthera_vision.ui.paths import ClassifierPaths


@dataclass(frozen=True)
class Example:
    """Hold a photo of the collection that visitors may try: its row and its file."""

    row: dict[str, str]
    path: Path

    @property
    def key(self) -> str:
        """Identify the example among a visitor's photos."""
        return f"example {self.row['id']}"


def choose_examples(
    photos: pd.DataFrame, paths: ClassifierPaths, per_species: int = 1
) -> list[Example]:
    """Choose some photos of each species whose files exist, the same ones at every start.

    They are test photos if the table has splits, since the model was not trained on those. They
    are chosen at random, not by how well the model does on them.
    """
    if "split" in photos:
        photos = photos[photos["split"] == "test"]
    chosen: list[Example] = []
    for _, of_species in photos.groupby("species", sort=True):
        rows = [{str(k): str(v) for k, v in row.items()} for row in of_species.to_dict("records")]
        found = 0
        for row in sorted(rows, key=lambda row: sha256(row["id"].encode()).hexdigest()):
            try:
                path = paths.photo(row["file"])
            except UserError:
                continue
            if found < per_species and path.is_file():
                found += 1
                chosen.append(Example(row, path))
    return chosen
