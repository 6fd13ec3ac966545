"""Read the rows of an iNaturalist export, or of a user's own table with some of its columns."""

from collections.abc import Iterator
from pathlib import Path

from panthera_vision.data.csv_dialect import read_rows
from panthera_vision.errors import UserError, list_names
from panthera_vision.sources.cleaning import KEPT_COLUMNS, USED_COLUMNS, WRONG_LENGTH, Cleaning

EXPORT_FILE = "observations.csv"
PACKAGE_FILE = "datapackage.json"
REQUIRED_COLUMNS = ("id", "image_url", "scientific_name")
# Whoever makes an export chooses its columns: column → others that say the same, the best first.
ALTERNATIVES = {
    "id": ("uuid",),
    "scientific_name": (
        *("taxon_subspecies_name", "taxon_species_name", "common_name", "species_guess"),
    ),
    "user_login": ("user_name", "user_id"),
    "observed_on": ("observed_on_string", "time_observed_at"),
    "place_guess": ("place_town_name", "place_admin1_name", "place_country_name"),
}
_READ_COLUMNS = {*USED_COLUMNS, *(name for names in ALTERNATIVES.values() for name in names)}
# iNaturalist calls an export after its number.
_NUMBERED = "observations-*.csv"
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
    if (folder / PACKAGE_FILE).exists():  # it has a table of this name, too
        return None
    if (folder / EXPORT_FILE).exists():
        return folder / EXPORT_FILE
    numbered = sorted(folder.glob(_NUMBERED)) if folder.is_dir() else []
    if len(numbered) > 1:
        names = list_names(file.name for file in numbered)
        raise UserError(f"{folder} has several exports: {names}; leave one there")
    return numbered[0] if numbered else None


def read_export(export: Path, cleaning: Cleaning) -> None:
    """Pass every row of an export to `cleaning`.

    Args:
        export: a CSV table with at least `REQUIRED_COLUMNS`, or their `ALTERNATIVES`.
        cleaning: gets the rows.

    Raises:
        UserError: the table is invalid.
    """
    rows = read_rows(export)
    header = _header(export, rows)
    instead = {
        name: [each for each in others if each in header]
        for name, others in ALTERNATIVES.items()
        if name not in header
    }
    required = max(
        header.index(next(iter(instead.get(name, [])), name)) for name in REQUIRED_COLUMNS
    )
    places = [(name, place) for place, name in enumerate(header) if name in _READ_COLUMNS]
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
            cells = {name: row[place].strip() for name, place in places}
            for name, others in instead.items():
                cells[name] = next((cells[each] for each in others if cells[each]), "")
            cleaning.add(cells)
    if is_empty:
        raise UserError(f"{export} has a header but no rows")
    cleaning.columns_missing = tuple(
        c for c in KEPT_COLUMNS.values() if c and c not in header and not instead.get(c)
    )
    rows_read = len(cleaning.kept["id"]) + cleaning.dropped.total()
    for name, others in instead.items():
        if others:
            note = f"rows have {name} from {' or '.join(others)}, because that column is missing"
            cleaning.notes[note] = rows_read


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
        if usual in _READ_COLUMNS and usual not in names:
            names[place] = usual
    missing = [
        name
        for name in REQUIRED_COLUMNS
        if not {name, *ALTERNATIVES.get(name, ())}.intersection(names)
    ]
    if missing:
        raise UserError(
            f"{export}: column {', '.join(map(repr, missing))} is missing; required are "
            f"{', '.join(REQUIRED_COLUMNS)}; the table has {list_names(map(repr, names))}"
        )
    return names
