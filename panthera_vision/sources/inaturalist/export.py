"""Read and clean an iNaturalist export; every row is kept, or dropped for a reason."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from panthera_vision.data.csv_dialect import read_rows
from panthera_vision.data.dates import normalize_dates, parse_dates
from panthera_vision.errors import UserError, list_names
from panthera_vision.sources.inaturalist.cleaning import (
    GROUP_COLUMN,
    KEPT_COLUMNS,
    USED_COLUMNS,
    WRONG_LENGTH,
    Cleaning,
)
from panthera_vision.sources.inaturalist.preparation_report import PreparationReport

EXPORT_FILE = "observations.csv"
REQUIRED_COLUMNS = ("id", "image_url", "scientific_name")
_MOST_RENAMED = 10
# As iNaturalist writes them.
EXPORT_COLUMNS = (
    *("id", "uuid", "observed_on_string", "observed_on", "time_observed_at", "time_zone"),
    *("user_id", "user_login", "user_name", "created_at", "updated_at", "quality_grade"),
    *("license", "url", "image_url", "sound_url", "tag_list", "description"),
    *("num_identification_agreements", "num_identification_disagreements", "captive_cultivated"),
    *("oauth_application_id", "place_guess", "latitude", "longitude", "positional_accuracy"),
    *("private_place_guess", "private_latitude", "private_longitude"),
    *("public_positional_accuracy", "geoprivacy", "taxon_geoprivacy", "coordinates_obscured"),
    *("positioning_method", "positioning_device", "species_guess", "scientific_name"),
    *("common_name", "iconic_taxon_name", "taxon_id"),
)


def prepare_observations(
    folder: Path, allowed_species: Sequence[str]
) -> tuple[pd.DataFrame, PreparationReport]:
    """Read and clean an export (`read_observations`), and require a photo of each species.

    Raises:
        UserError: see `read_observations`, or the table has no photo of an allowed species.
    """
    table, report = read_observations(folder, allowed_species)
    report.require_species(allowed_species, folder / EXPORT_FILE)
    return table, report


def read_observations(
    folder: Path, allowed_species: Sequence[str]
) -> tuple[pd.DataFrame, PreparationReport]:
    """Read and clean an iNaturalist export, and keep the photos of `allowed_species`.

    Subspecies are reduced to their species, and known synonyms renamed. Rows keep the order of the
    export. Dates become ISO dates where they are unambiguous; coordinates outside the globe are
    left empty. A column `group` of a user's own table is kept.

    Args:
        folder: has `EXPORT_FILE`, a CSV table with at least `REQUIRED_COLUMNS`.
        allowed_species: binomials, such as "Panthera leo".

    Returns:
        The table, all columns text, and the report.

    Raises:
        UserError: the table is missing or invalid.
    """
    if folder.is_file():
        raise UserError(
            f"prepare.observations = {folder}: this is a file; name the folder that has "
            f"{EXPORT_FILE}"
        )
    export = folder / EXPORT_FILE
    if not export.exists():
        raise UserError(
            f"{export} does not exist: put an iNaturalist export in that folder (README.md "
            "describes how to get one), or run `make demo` for the synthetic demo set"
        )
    cleaning = Cleaning(allowed_species)
    header = _clean_rows(export, cleaning)
    cleaning.drop_ambiguous()
    table = pd.DataFrame(cleaning.kept, dtype=str)
    if not (table[GROUP_COLUMN] != "").any():
        del table[GROUP_COLUMN]
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
        rows_read=len(table) + cleaning.dropped.total(),
        rows_kept=len(table),
        kept_by_species={species: by_species[species] for species in allowed_species},
        dropped_by_reason=dict(sorted(cleaning.dropped.items())),
        columns_missing=tuple(c for c in KEPT_COLUMNS.values() if c and c not in header),
        examples_by_reason=cleaning.examples_by_reason(),
        renamed=dict(cleaning.renamed.most_common(_MOST_RENAMED)),
        notes=dict(cleaning.notes),
        misspelled=cleaning.misspelled(),
    )
    return table, report


def _clean_rows(export: Path, cleaning: Cleaning) -> list[str]:
    """Pass every row of an export to `cleaning`; return the header."""
    rows = read_rows(export)
    header = _header(export, rows)
    required = max(header.index(name) for name in REQUIRED_COLUMNS)
    places = [(name, place) for place, name in enumerate(header) if name in USED_COLUMNS]
    is_empty = True
    for line, row in rows:
        if not any(cell.strip() for cell in row):  # a blank line is not a row
            continue
        is_empty = False
        # Spreadsheets add empty cells at the end.
        while len(row) > len(header) and not row[-1].strip():
            row.pop()
        if required < len(row) < len(header):  # they also leave out empty cells at the end
            cleaning.notes["rows are shorter than the header: their last cells count as empty"] += 1
            row += [""] * (len(header) - len(row))
        if len(row) != len(header):
            cleaning.drop(WRONG_LENGTH, f"line {line}: {len(row)} instead of {len(header)}")
        else:
            cleaning.add({name: row[place].strip() for name, place in places})
    if is_empty:
        raise UserError(f"{export} has a header but no rows")
    return header


def _header(export: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    """Return the names of the columns, those of an export in its spelling ("ID" is "id")."""
    first = next((row for _, row in rows if any(cell.strip() for cell in row)), [])
    names = [name.strip() for name in first]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UserError(f"{export} is empty; an export begins with a header row")
    for place, name in enumerate(names):
        usual = name.lower().replace(" ", "_")
        if usual in USED_COLUMNS and usual not in names:
            names[place] = usual
    if missing := [name for name in REQUIRED_COLUMNS if name not in names]:
        raise UserError(
            f"{export}: column {', '.join(map(repr, missing))} is missing; required are "
            f"{', '.join(REQUIRED_COLUMNS)}; the table has {list_names(map(repr, names))}"
        )
    return names
