"""Read and clean an iNaturalist export; every row is kept, or dropped for a reason."""

import csv
import html
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from sys import intern
from typing import Any

import pandas as pd

from panthera_vision.data.photo_table import is_plain_id, normalize_newlines
from panthera_vision.data.taxonomy import species_of
from panthera_vision.errors import UserError
from panthera_vision.io.urls import is_local, is_web_address

EXPORT_FILE = "observations.csv"
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

# Column of the prepared table → column of the export that it comes from.
_KEPT_COLUMNS = {
    "id": "id",
    "species": None,
    "taxon": "scientific_name",
    "observer": "user_login",
    "observed_on": "observed_on",
    "license": "license",
    "attribution": "attribution",
    "place": "place_guess",
    "latitude": "latitude",
    "longitude": "longitude",
    "tags": "tag_list",
    "observation_url": "url",
    "image_url": "image_url",
}
# All but line feed and tab, which are whitespace.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class PreparationReport:
    """Count the rows of an export that were kept and dropped; the counts add up to `rows_read`."""

    rows_read: int
    rows_kept: int
    kept_by_species: dict[str, int]
    dropped_by_reason: dict[str, int]
    columns_missing: tuple[str, ...]

    def summary(self) -> str:
        """Return one phrase: rows read, rows kept, and why the others were dropped."""
        dropped = ", ".join(f"{count} {reason}" for reason, count in self.dropped_by_reason.items())
        return f"{self.rows_kept} of {self.rows_read} rows kept (dropped: {dropped or 'none'})"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as it is written as JSON."""
        return asdict(self)


def prepare_observations(
    folder: Path, allowed_species: Sequence[str]
) -> tuple[pd.DataFrame, PreparationReport]:
    """Read and clean an iNaturalist export, and keep the photos of `allowed_species`.

    Subspecies are reduced to their species. Rows keep the order of the export. Coordinates outside
    the globe are left empty.

    Args:
        folder: has `EXPORT_FILE`, a CSV table with at least `REQUIRED_COLUMNS`.
        allowed_species: binomials, such as "Panthera leo".

    Returns:
        The table, all columns text, and the report.

    Raises:
        UserError: the table is missing or invalid, or has no photo of an allowed species.
    """
    export = folder / EXPORT_FILE
    if not export.exists():
        raise UserError(
            f"{export} is not there: put an iNaturalist export in that folder (README.md says how "
            "to get one), or run `make demo` for the synthetic demo set"
        )
    header, records = _records(export)
    cleaning = _Cleaning(set(allowed_species))
    for record in records:
        cleaning.add(record)
    by_species = Counter(cleaning.kept["species"])
    for species in allowed_species:
        if not by_species[species]:
            present = ", ".join(sorted(by_species | cleaning.other_species)) or "no species at all"
            raise UserError(f"{export}: no usable photo of {species!r}; the table has {present}")
    table = pd.DataFrame(cleaning.kept, dtype=str)
    report = PreparationReport(
        rows_read=len(table) + cleaning.dropped.total(),
        rows_kept=len(table),
        kept_by_species={species: by_species[species] for species in allowed_species},
        dropped_by_reason=dict(sorted(cleaning.dropped.items())),
        columns_missing=tuple(c for c in _KEPT_COLUMNS.values() if c and c not in header),
    )
    return table, report


class _Cleaning:
    """Sort records into rows to keep and reasons to drop them."""

    def __init__(self, allowed: set[str]) -> None:
        self.kept: dict[str, list[str]] = {name: [] for name in _KEPT_COLUMNS}
        self.dropped: Counter[str] = Counter()
        self.other_species: Counter[str] = Counter()
        self._allowed = allowed
        self._ids: set[str] = set()
        self._photos: set[str] = set()

    def add(self, record: dict[str, str] | None) -> None:
        """Keep or drop a record; None has the wrong number of fields."""
        if record is None:
            self.dropped["wrong number of fields"] += 1
            return
        species = species_of(record["scientific_name"])
        if reason := self._reason_to_drop(record, species):
            self.dropped[reason] += 1
            return
        self._ids.add(record["id"].lower())
        self._photos.add(record["image_url"])
        for name, value in _kept_row(record, str(species)).items():
            # A million rows have few observers, places and days: interning saves their memory.
            self.kept[name].append(intern(value))

    def _reason_to_drop(self, record: dict[str, str], species: str | None) -> str | None:
        address = record["image_url"]
        if not is_plain_id(record["id"]):
            return "id missing or not plain letters and digits"
        if not address:
            return "no photo"
        if not (address.isprintable() and (is_local(address) or is_web_address(address))):
            return "address is not http, https or a file"
        if species is None:
            return "not identified to species"
        if species not in self._allowed:
            self.other_species[species] += 1
            return "species not in allowed_species"
        # Ids that differ only in case are one file on many file systems.
        if record["id"].lower() in self._ids:
            return "duplicate id"
        return "duplicate photo" if address in self._photos else None


def _kept_row(record: dict[str, str], species: str) -> dict[str, str]:
    row = {name: record.get(source or "", "") for name, source in _KEPT_COLUMNS.items()}
    row["species"] = species
    row["attribution"] = row["attribution"] or _attribution(record)
    row = {name: _without_control(value) for name, value in row.items()}
    if not (_is_degrees(row["latitude"], 90) and _is_degrees(row["longitude"], 180)):
        row["latitude"] = row["longitude"] = ""
    return row


def _is_degrees(value: str, most: float) -> bool:
    """Return whether a cell is a number of degrees from -`most` to `most`."""
    try:
        degrees = float(value)
    except ValueError:
        return False
    return math.isfinite(degrees) and abs(degrees) <= most


def _attribution(record: dict[str, str]) -> str:
    """Return the attribution as iNaturalist writes it."""
    # Names in an export are HTML-escaped: & is &amp;.
    owner = html.unescape(record.get("user_name") or record.get("user_login") or "unknown observer")
    license_code = record.get("license", "")
    if not license_code:
        return f"(c) {owner}, all rights reserved"
    if license_code.upper().startswith("CC0"):
        return f"{owner}, no rights reserved (CC0)"
    return f"(c) {owner}, some rights reserved ({license_code.upper().replace('CC-', 'CC ', 1)})"


def _records(export: Path) -> tuple[list[str], Iterator[dict[str, str] | None]]:
    """Return the header, and the rows as dictionaries; None for a row that does not fit it."""
    rows = _rows(export)
    header = [name.strip() for name in next(rows, [])]
    if not header:
        raise UserError(f"{export} is empty; an export begins with a line of column names")
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        raise UserError(
            f"{export}: column {', '.join(map(repr, missing))} is missing; "
            f"required are {', '.join(REQUIRED_COLUMNS)}"
        )

    used = {*_KEPT_COLUMNS.values(), *REQUIRED_COLUMNS, "user_name"}
    places = [(name, place) for place, name in enumerate(header) if name in used]

    def records() -> Iterator[dict[str, str] | None]:
        count = 0
        for row in rows:
            if not row:  # a blank line is no row
                continue
            count += 1
            if len(row) != len(header):
                yield None
            else:
                yield {name: row[place].strip() for name, place in places}
        if not count:
            raise UserError(f"{export} has column names and no rows")

    return header, records()


def _without_control(value: str) -> str:
    return value if value.isprintable() else _CONTROL.sub("", normalize_newlines(value)).strip()


def _rows(export: Path) -> Iterator[list[str]]:
    try:
        with export.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            try:
                yield from reader
            except csv.Error as error:
                raise UserError(f"{export}, line {reader.line_num}: not CSV: {error}") from None
            except UnicodeDecodeError as error:
                raise UserError(
                    f"{export}: not UTF-8 after line {reader.line_num} ({error.reason}); "
                    "save the table as UTF-8"
                ) from None
    except IsADirectoryError:
        raise UserError(f"{export} is a folder, not a table") from None
