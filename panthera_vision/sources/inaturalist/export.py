"""Read the rows of an iNaturalist export, or of a user's own table with some of its columns."""

from collections.abc import Iterator
from pathlib import Path

from panthera_vision.data.csv_dialect import read_rows
from panthera_vision.errors import UserError, list_names
from panthera_vision.sources.cleaning import KEPT_COLUMNS, USED_COLUMNS, WRONG_LENGTH, Cleaning

EXPORT_FILE = "observations.csv"
PACKAGE_FILE = "datapackage.json"
REQUIRED_COLUMNS = ("id", "image_url", "scientific_name")
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


def find_export(folder: Path) -> Path | None:
    """Return the export, or the user's own table, in a folder; None if there is none."""
    table = folder / EXPORT_FILE
    # A Camtrap DP package has a table of this name, too.
    return table if table.exists() and not (folder / PACKAGE_FILE).exists() else None


def read_export(export: Path, cleaning: Cleaning) -> None:
    """Pass every row of an export to `cleaning`.

    Args:
        export: a CSV table with at least `REQUIRED_COLUMNS`.
        cleaning: gets the rows.

    Raises:
        UserError: the table is invalid.
    """
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
    cleaning.columns_missing = tuple(c for c in KEPT_COLUMNS.values() if c and c not in header)


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
