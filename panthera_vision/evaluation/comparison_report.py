"""Write where a model and SpeciesNet disagree: a table, a page of photos, labels to review."""

import math
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pandas as pd

from panthera_vision.data.photo_table import is_plain_id
from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.errors import UserError
from panthera_vision.evaluation.model_comparison import LESS_SPECIFIC, NO, YES, worst_first
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails

COMPARISON_FILES = ("comparison.csv", "disagreements.html", "observations.csv")
PHOTOS_PER_PAGE = 200
_NO_CREDITS = dict.fromkeys(("observer", "license", "attribution", "observation_url"), "")


def write_comparison(compared: pd.DataFrame, table: Path, folder: Path) -> str:
    """Write `comparison.csv`, `disagreements.html` and `observations.csv` into `folder`.

    The last one has SpeciesNet's species as labels to be reviewed, as `prepare` reads them.

    Args:
        compared: of `compare_answers`.
        table: of predict, which its files are relative to, or else to the working directory.
        folder: is created.

    Returns:
        The numbers of photos that agree and disagree, in one phrase.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_table_for_people(compared.drop(columns="label"), folder / "comparison.csv")
    worst = worst_first(compared)
    tiles, unreadable = _thumbnails(worst.head(PHOTOS_PER_PAGE), table.parent)
    counts = compared["agrees"].value_counts()
    shown = f"{len(tiles)} of {len(worst)} shown" + (
        f", {unreadable} can't be read" if unreadable else ""
    )
    section = Section(
        f"SpeciesNet's answer → this model's, those first of which both are surest: {shown}",
        tiles,
        "The two models disagree on no photo.",
    )
    save_html_page("Disagreements with SpeciesNet", [section], folder / "disagreements.html")
    labels = label_table(compared, table.parent, folder)
    write_table_for_people(labels, folder / "observations.csv")
    return (
        f"{len(compared)} photos: {counts.get(YES, 0)} agree, {counts.get(LESS_SPECIFIC, 0)} agree "
        f"with a higher taxon, {counts.get(NO, 0)} disagree, {counts.get('', 0)} without an answer "
        f"of SpeciesNet; {len(labels)} labels to review"
    )


def label_table(compared: pd.DataFrame, source: Path, folder: Path) -> pd.DataFrame:
    """Return SpeciesNet's species as a table of one's own photos, the disagreements first.

    Args:
        compared: of `compare_answers`.
        source: folder that the files are relative to, or else to the working directory.
        folder: that the column image_url is relative to.
    """
    rows = compared[compared["label"] != ""]
    worst = worst_first(rows)
    rows = pd.concat([worst, rows.drop(worst.index)])
    addresses = [_address(_path(file, source), folder) for file in rows["file"]]
    return pd.DataFrame(
        {
            "id": list(_ids(rows["file"])),
            "image_url": addresses,
            "scientific_name": rows["label"].to_numpy(),
            "speciesnet_probability": rows["speciesnet_probability"].to_numpy(),
            "answer": rows["answer"].to_numpy(),
            "agrees": rows["agrees"].to_numpy(),
        }
    )


def _ids(files: Iterable[str]) -> Iterator[str]:
    """Yield an id for each file: its name without suffix where that is plain and new."""
    seen: set[str] = set()
    for file in files:
        stem = PurePosixPath(file.replace("\\", "/")).stem
        is_usable = is_plain_id(stem) and stem.lower() not in seen
        hashed = sha256(file.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        id = stem if is_usable else f"photo-{hashed}"
        seen.add(id.lower())
        yield id


def _path(file: str, source: Path) -> Path:
    """Return the path of a file of the table: relative to its folder, or as it is."""
    return source / file if (source / file).exists() else Path(file)


def _address(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return path.resolve().as_posix()


def _thumbnails(worst: pd.DataFrame, source: Path) -> tuple[list[Thumbnail], int]:
    """Return thumbnails of the rows, and how many photos can't be read."""
    tiles: list[Thumbnail] = []
    unreadable = 0
    for row in worst.to_dict("records"):
        cells = {"id": row["file"], "species": row["speciesnet_species"], **_NO_CREDITS}
        caption = f"SpeciesNet {_percent(row['speciesnet_probability'])}, this model " + _percent(
            row["probability"]
        )
        try:
            path = _path(str(row["file"]), source)
            tiles += make_thumbnails(pd.DataFrame([cells]), [path], [row["answer"]], [caption])
        except UserError:
            unreadable += 1
    return tiles, unreadable


def _percent(value: object) -> str:
    is_given = isinstance(value, float) and not math.isnan(value)
    return f"{value:.0%}" if is_given else "without a probability"
