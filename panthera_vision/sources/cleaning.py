"""Clean rows of observations: repair what is safe to repair, else drop the row for a reason.

Rows of every source have the columns of an iNaturalist export.
"""

import html
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import compress
from sys import intern

import pandas as pd

from panthera_vision.data.licenses import attribution
from panthera_vision.data.photo_table import MAX_ID_LENGTH, is_plain_id
from panthera_vision.data.taxonomy import (
    accepted_name,
    is_hybrid,
    species_of,
    species_with_common_name,
)
from panthera_vision.errors import closest_name
from panthera_vision.io.csv_safety import normalize_newlines
from panthera_vision.io.csv_table import parse_number
from panthera_vision.io.urls import is_local, is_web_address
from panthera_vision.sources.preparation_report import (
    HYBRID,
    NAMED_REASONS,
    NOT_A_SPECIES,
    OTHER_SPECIES,
)

# Column of the prepared table → column of the export that it comes from.
KEPT_COLUMNS = {
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
# Columns that no iNaturalist export has; the prepared table has them only where they are filled.
# group: photos of one value must stay in one split. taken_at: time of the photo or of the
# observation, as ISO 8601. citation: of the data set.
OPTIONAL_COLUMNS = ("group", "taken_at", "citation")
# A million rows have few observers, places and days, which share memory; these do not repeat.
_UNIQUE_COLUMNS = {"id", "latitude", "longitude", "observation_url", "image_url", "taken_at"}
USED_COLUMNS = {
    *filter(None, KEPT_COLUMNS.values()),
    *OPTIONAL_COLUMNS,
    *("user_name", "time_observed_at"),
}

NO_PHOTO = "no photo"
TWO_SPECIES = "one photo under two species"
WRONG_LENGTH = "wrong number of fields"
BAD_ID = "id with other characters than A-Z, a-z, 0-9, - and _"
ROUNDED_ID = "id rounded by a spreadsheet (format the column as text)"
# All but line feed and tab, which are whitespace.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_WHOLE_NUMBER = re.compile(r"(\d+)[.,]0+")
_SCIENTIFIC = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")
_THUMBNAIL = re.compile(
    r"(https?://(?:[\w-]+\.inaturalist\.org|inaturalist-open-data\.s3\.amazonaws\.com)/photos/\d+/)"
    r"(?:square|thumb|small)(\.\w+(?:\?\S*)?)"
)
_EXAMPLES = 10
_MAX_EXAMPLES_COUNTED = 10_000  # of each reason: a million bad ids must not fill the memory
_LONGEST_EXAMPLE = 60


class Cleaning:
    """Sort rows of observations into rows to keep and reasons to drop them.

    Args:
        allowed: the species to keep.
        with_specimens: whether a source that tells specimens from observations passes them on.
    """

    def __init__(self, allowed: Sequence[str], *, with_specimens: bool = False) -> None:
        self.with_specimens = with_specimens
        self.kept: dict[str, list[str]] = {name: [] for name in (*KEPT_COLUMNS, *OPTIONAL_COLUMNS)}
        self.dropped: Counter[str] = Counter()
        self.renamed: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.columns_missing: tuple[str, ...] = ()
        self._examples: dict[str, Counter[str]] = defaultdict(Counter)
        self._allowed = {accepted_name(species): species for species in allowed}
        self._ids: set[str] = set()
        self._species_of_photo: dict[str, str] = {}
        self._ambiguous: set[str] = set()

    def add(self, row: dict[str, str]) -> None:
        """Keep or drop a row, given as column → cell."""
        address = row["image_url"]
        row = row | {"id": _repaired_id(row["id"]), "image_url": _enlarged(address)}
        species = self._species(row["scientific_name"])
        if reason := self._reason_to_drop(row, species):
            column = "scientific_name" if reason in NAMED_REASONS else "id"
            self.drop(reason, row["image_url"] if "address" in reason else row[column])
        else:
            self._keep(row, str(species), address)

    def reason_to_drop_name(self, scientific_name: str) -> str | None:
        """Return why no photo under this name would be kept, or None."""
        return self._reason_of_name(scientific_name, self._species(scientific_name))

    def drop(self, reason: str, example: str) -> None:
        """Count a dropped row."""
        self.dropped[reason] += 1
        counted = self._examples[reason]
        example = _without_control(example)[:_LONGEST_EXAMPLE]
        if example and (example in counted or len(counted) < _MAX_EXAMPLES_COUNTED):
            counted[example] += 1

    def examples_by_reason(self) -> dict[str, dict[str, int]]:
        """Return the most frequent examples of each reason."""
        return {
            reason: dict(self._examples[reason].most_common(_EXAMPLES))
            for reason in sorted(self._examples)
            if self._examples[reason]
        }

    def drop_ambiguous(self) -> None:
        """Drop the kept rows whose photo another row gives to another species."""
        is_kept = [address not in self._ambiguous for address in self.kept["image_url"]]
        for id, keep in zip(self.kept["id"], is_kept, strict=True):
            if not keep:
                self.drop(TWO_SPECIES, id)
        if not all(is_kept):
            self.kept = {name: list(compress(v, is_kept)) for name, v in self.kept.items()}

    def take_table(self) -> pd.DataFrame:
        """Return the kept rows, all columns text, and release the memory of this object's."""
        self._ids.clear()
        self._species_of_photo.clear()
        kept, self.kept = self.kept, {}
        columns = {}
        while kept:
            name, cells = kept.popitem()
            # Without an optional column where no row has it.
            if name not in OPTIONAL_COLUMNS or any(cells):
                columns[name] = pd.Series(cells, dtype=str)
        return pd.DataFrame(dict(reversed(columns.items())))

    def misspelled(self) -> dict[str, str]:
        """Return, for each allowed species without a photo, the dropped name closest to it."""
        names = [name for reason in NAMED_REASONS for name in self._examples[reason]]
        without = set(self._allowed.values()) - set(self.kept["species"])
        close = {species: closest_name(species, names) for species in sorted(without)}
        return {species: name for species, name in close.items() if name}

    def _species(self, name: str) -> str | None:
        """Return the species, named as in `allowed_species` if it is one of these."""
        species = species_with_common_name(name) or species_of(name)
        return self._allowed.get(accepted_name(species), species) if species else None

    def _reason_to_drop(self, row: dict[str, str], species: str | None) -> str | None:
        address = row["image_url"]
        if reason := _bad_id(row["id"]):
            return reason
        if not address:
            return NO_PHOTO
        if not (address.isprintable() and (is_local(address) or is_web_address(address))):
            return "address is not http, https or a file"
        if reason := self._reason_of_name(row["scientific_name"], species):
            return reason
        # Ids that differ only in case are one file on many file systems.
        if row["id"].lower() in self._ids:
            return "duplicate id"
        known = self._species_of_photo.get(address, species)
        if known != species:
            self._ambiguous.add(address)
            return TWO_SPECIES
        return "duplicate photo" if address in self._species_of_photo else None

    def _reason_of_name(self, name: str, species: str | None) -> str | None:
        if species is None:
            return HYBRID if is_hybrid(name) else NOT_A_SPECIES
        return None if species in self._allowed.values() else OTHER_SPECIES

    def _keep(self, row: dict[str, str], species: str, address: str) -> None:
        self._ids.add(row["id"].lower())
        self._species_of_photo[row["image_url"]] = species
        if row["image_url"] != address:
            self.notes["addresses of thumbnails were changed to the medium size"] += 1
        if species_of(row["scientific_name"]) != species:
            self.renamed[f"{row['scientific_name']} → {species}"] += 1
        kept = {name: row.get(source or "", "") for name, source in KEPT_COLUMNS.items()}
        kept |= {"species": species} | {name: row.get(name, "") for name in OPTIONAL_COLUMNS}
        kept["taken_at"] = _iso_time(kept["taken_at"] or row.get("time_observed_at", ""))
        kept["observed_on"] = kept["observed_on"] or kept["taken_at"][: len("2020-03-21")]
        kept["attribution"] = kept["attribution"] or _attribution(row)
        kept = {name: _without_control(value) for name, value in kept.items()}
        place = (_degrees(kept["latitude"], 90), _degrees(kept["longitude"], 180))
        if not all(place) and (kept["latitude"] or kept["longitude"]):
            self.notes["rows have coordinates that can't be read"] += 1
        kept["latitude"], kept["longitude"] = place if all(place) else ("", "")
        for name, value in kept.items():
            self.kept[name].append(value if name in _UNIQUE_COLUMNS else intern(value))


def _repaired_id(id: str) -> str:
    """Return 900000001 for 900000001.0, as spreadsheets write a whole number."""
    match = _WHOLE_NUMBER.fullmatch(id)
    return match[1] if match else id


def _bad_id(id: str) -> str | None:
    if is_plain_id(id):
        return None
    if not id:
        return "without an id"
    if _SCIENTIFIC.fullmatch(id):
        return ROUNDED_ID
    return f"id longer than {MAX_ID_LENGTH} characters" if len(id) > MAX_ID_LENGTH else BAD_ID


def _enlarged(address: str) -> str:
    """Return the address of the size that exports name (500 pixels) for an iNaturalist thumbnail.

    iNaturalist has each photo as square (75 pixels), thumb, small, medium, large and original.
    """
    match = _THUMBNAIL.fullmatch(address)
    return f"{match[1]}medium{match[2]}" if match else address


def _degrees(cell: str, most: float) -> str:
    """Return a number of degrees from -`most` to `most`, its decimal comma as a point, or ""."""
    text = cell.replace("\u2212", "-")
    if "." not in text:
        text = text.replace(",", ".")
    degrees = parse_number(text)
    return "" if degrees is None or abs(degrees) > most else text


def _attribution(row: dict[str, str]) -> str:
    # Names in an export are HTML-escaped: & is &amp;.
    owner = html.unescape(row.get("user_name") or row.get("user_login") or "unknown observer")
    return attribution(owner, row.get("license", ""))


def _iso_time(text: str) -> str:
    """Return a time as ISO 8601, with its offset from UTC where it has one; "" for other text.

    >>> _iso_time("2009-07-26 05:27:00 UTC")
    '2009-07-26T05:27:00+00:00'
    """
    try:
        return datetime.fromisoformat(text.replace(" UTC", "+00:00")).isoformat()
    except ValueError:
        return ""


def _without_control(value: str) -> str:
    return value if value.isprintable() else _CONTROL.sub("", normalize_newlines(value)).strip()
