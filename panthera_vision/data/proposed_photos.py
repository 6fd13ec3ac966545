"""Read and write `proposed_photos.csv`: photos without labels that are worth labeling."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from panthera_vision.data.photo_table import read_table
from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.errors import UserError
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.io.csv_safety import unescape_csv_cell


@dataclass(frozen=True)
class ProposedPhoto:
    """Hold a photo that is worth labeling.

    Attributes:
        rank: from 1.
        file: absolute path of the photo.
        sha256: of the file.
        reason: why it is proposed.
        predicted_species: by the model.
        confidence: probability of that species, 0 to 1.
        ood_score: the higher, the less the photo looks like those of the training.
    """

    rank: int
    file: str
    sha256: str
    reason: str
    predicted_species: str
    confidence: float
    ood_score: float

    @property
    def path(self) -> Path:
        """Return the path of the photo."""
        return Path(self.file)

    def is_intact(self) -> bool:
        """Return whether the file is there and unchanged."""
        try:
            return sha256_of_file(self.path) == self.sha256
        except OSError:
            return False


def write_proposed_photos(photos: Sequence[ProposedPhoto], path: Path) -> None:
    """Write the table, safe for spreadsheets."""
    columns = list(ProposedPhoto.__dataclass_fields__)
    table = pd.DataFrame([asdict(photo) for photo in photos], columns=columns)
    write_table_for_people(table, path)


def read_proposed_photos(path: Path) -> list[ProposedPhoto]:
    """Read the table.

    Raises:
        UserError: there is none, or a row is invalid.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; `panthera propose FOLDER` writes it")
    table = read_table(path, list(ProposedPhoto.__dataclass_fields__))
    photos = []
    for number, row in enumerate(table.to_dict("records"), 2):
        try:
            photos.append(
                ProposedPhoto(
                    int(row["rank"]),
                    unescape_csv_cell(row["file"]),
                    row["sha256"],
                    unescape_csv_cell(row["reason"]),
                    row["predicted_species"],
                    float(row["confidence"]),
                    float(row["ood_score"]),
                )
            )
        except ValueError:
            raise UserError(f"{path}, line {number}: not a row of `panthera propose`") from None
    return photos
