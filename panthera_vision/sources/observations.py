"""Read the observations in a folder, in whichever known format they are, and clean them.

The format is recognized by the files in the folder. To add a format, write a function that finds
its main file in a folder, and one that passes each row to a `Cleaning`; list both in `FORMATS`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from panthera_vision.data.dates import normalize_dates, parse_dates
from panthera_vision.errors import UserError, list_names
from panthera_vision.images.kinds import is_named_as_photo
from panthera_vision.sources.camtrap_dp.observations import read_package
from panthera_vision.sources.camtrap_dp.package import find_package
from panthera_vision.sources.cleaning import Cleaning
from panthera_vision.sources.gbif.download import find_download, read_download
from panthera_vision.sources.inaturalist.export import EXPORT_FILE, find_export, read_export
from panthera_vision.sources.preparation_report import PreparationReport

_MOST_RENAMED = 10


@dataclass(frozen=True)
class SourceFormat:
    """Describe a format of observations.

    Attributes:
        name: as users call it.
        find: returns the file by which a folder is recognized, or None.
        read: passes every row of that file's data to a `Cleaning`, as a dict of the columns of an
            iNaturalist export; its `drop` takes what is no row of a photo.
    """

    name: str
    find: Callable[[Path], Path | None]
    read: Callable[[Path, Cleaning], None]


FORMATS = (
    SourceFormat("iNaturalist export or table of your own", find_export, read_export),
    SourceFormat("Camtrap DP package", find_package, read_package),
    SourceFormat("GBIF download", find_download, read_download),
)


def find_source(folder: Path) -> tuple[SourceFormat, Path]:
    """Return the format of the observations in a folder, and the file that shows it.

    Raises:
        UserError: there are none, or those of several formats.
    """
    candidates = ((known, known.find(folder)) for known in FORMATS)
    found = [(known, file) for known, file in candidates if file]
    if not found and folder.is_file():
        raise UserError(
            f"prepare.observations = {folder}: this is a file; name the folder that has "
            f"{folder.name}"
        )
    if not found and _has_photos_in_folders(folder):
        raise UserError(
            f"{folder} has photos but no table of them: `panthera init {folder}` writes one, with "
            "the names of the folders as species"
        )
    if not found:
        raise UserError(
            f"{folder / EXPORT_FILE} does not exist: put an iNaturalist export in that folder "
            "(README.md describes how to get one), or a GBIF download, or run `make demo` for the "
            "synthetic demo set"
        )
    if len(found) > 1:
        names = list_names(f"{file.name} ({known.name})" for known, file in found)
        raise UserError(f"{folder} has observations of several formats: {names}; leave one there")
    return found[0]


def _has_photos_in_folders(folder: Path) -> bool:
    return any(is_named_as_photo(path) for path in folder.glob("*/*"))


def prepare_observations(
    folder: Path, allowed_species: Sequence[str], *, with_specimens: bool = False
) -> tuple[pd.DataFrame, PreparationReport]:
    """Read and clean observations (`read_observations`), and require a photo of each species.

    Raises:
        UserError: see `read_observations`, or the table has no photo of an allowed species.
    """
    table, report = read_observations(folder, allowed_species, with_specimens=with_specimens)
    report.require_species()
    return table, report


def read_observations(
    folder: Path, allowed_species: Sequence[str], *, with_specimens: bool = False
) -> tuple[pd.DataFrame, PreparationReport]:
    """Read and clean the observations in a folder, and keep the photos of `allowed_species`.

    Subspecies are reduced to their species, and known synonyms renamed. Rows keep the order of the
    source. Dates become ISO dates where they are unambiguous; coordinates outside the globe are
    left empty. An optional column, such as `group`, is kept if any row has it.

    Args:
        folder: has observations in one of `FORMATS`.
        allowed_species: binomials, such as "Panthera leo".
        with_specimens: whether photos of specimens in collections are kept, where the source
            tells them from observations.

    Returns:
        The table, all columns text, and the report.

    Raises:
        UserError: the observations are missing or invalid.
    """
    source, file = find_source(folder)
    cleaning = Cleaning(allowed_species, with_specimens=with_specimens)
    source.read(file, cleaning)
    cleaning.drop_ambiguous()
    misspelled = cleaning.misspelled()
    table = cleaning.take_table()
    table["observed_on"] = normalize_dates(table["observed_on"])
    unread = [
        text
        for text, day in zip(table["observed_on"], parse_dates(table["observed_on"]), strict=True)
        if text and not day
    ]
    if unread:
        note = f"rows have a date that can't be read without guessing, such as {unread[0][:40]!r}"
        cleaning.notes[f"{note} (write 2020-03-21)"] = len(unread)
    by_species = Counter(table["species"])
    report = PreparationReport(
        source=source.name,
        file=str(file),
        rows_read=len(table) + cleaning.dropped.total(),
        rows_kept=len(table),
        kept_by_species={species: by_species[species] for species in allowed_species},
        dropped_by_reason=dict(sorted(cleaning.dropped.items())),
        columns_missing=cleaning.columns_missing,
        examples_by_reason=cleaning.examples_by_reason(),
        renamed=dict(cleaning.renamed.most_common(_MOST_RENAMED)),
        notes=dict(cleaning.notes),
        misspelled=misspelled,
    )
    return table, report
