"""Read a download of GBIF: join occurrences and media, and pass each photo to the cleaning.

Formats: https://techdocs.gbif.org/en/data-use/download-formats. A photo is a row; a dropped
occurrence counts as one row, however many media it has.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import NamedTuple

from panthera_vision.data.licenses import attribution, parse_license
from panthera_vision.data.photo_table import is_plain_id
from panthera_vision.data.taxonomy import is_hybrid, without_authorship
from panthera_vision.errors import UserError
from panthera_vision.io.archive import Archive
from panthera_vision.io.urls import is_web_address
from panthera_vision.sources.cleaning import NO_PHOTO, WRONG_LENGTH, Cleaning
from panthera_vision.sources.gbif.citation import find_citation
from panthera_vision.sources.gbif.media import event_day, reason_to_drop, smaller_address, time_of
from panthera_vision.sources.gbif.tables import (
    ID_COLUMN,
    META_FILE,
    TableLayout,
    layout_by_header,
    layouts_by_meta,
)

OCCURRENCES, MEDIA = "occurrence.txt", "multimedia.txt"
_TABLES = (".csv", ".tsv", ".txt")
_KEY = "gbifID"
_OCCURRENCE_TERMS = (
    *(ID_COLUMN, "species", "scientificname", "acceptedscientificname", "infraspecificepithet"),
    *("scientificnameauthorship", "basisofrecord", "occurrencestatus", "recordedby", "eventdate"),
    *("year", "month", "day", "license", "rightsholder", "references", "decimallatitude"),
    *("decimallongitude", "locality", "stateprovince", "countrycode"),
)
_MEDIA_TERMS = (
    *(ID_COLUMN, "type", "format", "identifier", "references", "created", "creator", "license"),
    *("rightsholder", "accessuri", "rights", "usageterms", "owner", "createdate"),
)
_SPECIMENS = {"PRESERVEDSPECIMEN", "FOSSILSPECIMEN", "MATERIALSAMPLE", "MATERIALCITATION"}
_FOREIGN = "photo of an occurrence that is not in the download"


class _Occurrence(NamedTuple):
    """Hold what the photos of an occurrence share."""

    scientific_name: str
    observer: str
    observed_on: str
    event_date: str
    license: str
    rights_holder: str
    place: str
    latitude: str
    longitude: str
    url: str


@dataclass(frozen=True)
class _Download:
    archive: Archive
    occurrences: TableLayout
    media: TableLayout


def find_download(path: Path) -> Path | None:
    """Return the file that shows a GBIF download in a folder, or a ZIP file as it is; else None."""
    if path.is_file():
        return path if path.suffix.lower() == ".zip" and _is_download(path) else None
    for name in (META_FILE, OCCURRENCES):
        if (path / name).is_file():
            return path / name
    files = sorted(path.glob("*")) if path.is_dir() else []
    archives = [file for file in files if file.suffix.lower() == ".zip" and _is_download(file)]
    found = archives or [file for file in files if _is_simple_table(file)]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise UserError(f"{path} has several GBIF downloads: {names}; leave one there")
    return found[0] if found else None


def read_download(file: Path, cleaning: Cleaning) -> None:
    """Pass every photo of a download to `cleaning`.

    Time and memory are linear in the number of occurrences of allowed species; media are streamed.

    Args:
        file: as `find_download` returns it.
        cleaning: gets the rows.

    Raises:
        UserError: the download is damaged, or has no media.
    """
    archive = Archive(file if file.suffix.lower() == ".zip" else file.parent)
    try:
        download = _open(archive, file)
        citation = find_citation(archive)
        occurrences = _read_occurrences(download, cleaning)
        photos: Counter[str] = Counter()
        for key, medium in _media(download, cleaning):
            occurrence = occurrences.get(key)
            if occurrence is None:
                if key not in occurrences:
                    cleaning.drop(_FOREIGN, key)
                continue
            photos[key] += 1
            address, kind = medium["accessuri"] or medium["identifier"], medium["type"]
            if reason := reason_to_drop(kind, medium["format"], address, medium["references"]):
                cleaning.drop(reason, address or medium["references"])
                continue
            row = _row(occurrence, medium, smaller_address(address), cleaning)
            suffix = f"_{photos[key]}" if photos[key] > 1 else ""
            cleaning.add(row | {"id": f"{_plain(key)}{suffix}", "citation": citation})
        for key, occurrence in occurrences.items():
            if occurrence and key not in photos:
                cleaning.drop(NO_PHOTO, key)
        if not citation:
            cleaning.notes[
                "photos have no citation of the download, because the archive names no DOI: put "
                "the text with it into citations.txt beside the archive's tables"
            ] = sum(photos.values())
    finally:
        archive.close()


def _is_download(file: Path) -> bool:
    """Return whether a ZIP file has the tables of a download, or at least the name of one."""
    try:
        archive = Archive(file)
    except (UserError, OSError):
        return bool(re.fullmatch(r"\d{7}-\d+\.zip", file.name))
    try:
        return META_FILE in archive or OCCURRENCES in archive or bool(_simple_table(archive))
    finally:
        archive.close()


def _is_simple_table(file: Path) -> bool:
    if file.suffix.lower() not in _TABLES or file.name == MEDIA or not file.is_file():
        return False
    with file.open("rb") as opened:
        return _is_header(opened.read(1000).decode("utf-8", "replace"))


def _simple_table(archive: Archive) -> str | None:
    """Return the name of the table of a simple download in a ZIP file."""
    names = [name for name in archive if Path(name).suffix.lower() in _TABLES and name != MEDIA]
    return next((name for name in names if _is_header(archive.beginning(name, 1000))), None)


def _is_header(text: str) -> bool:
    return text.lstrip("\ufeff").lower().startswith(f"{_KEY.lower()}\t")


def _open(archive: Archive, file: Path) -> _Download:
    if META_FILE in archive:
        layouts = layouts_by_meta(archive)
        if "occurrence" not in layouts or layouts["occurrence"] is not layouts.get("core"):
            raise UserError(
                f"{file}: the core of this Darwin Core archive is not Occurrence; download the "
                "data set's occurrences from GBIF"
            )
        occurrences, media = layouts["occurrence"], layouts.get("multimedia")
    else:
        simple = _simple_table(archive) if archive.path == file else file.name
        table = OCCURRENCES if OCCURRENCES in archive else str(simple)
        occurrences, media = layout_by_header(archive, table, _KEY), None
    if media is None and MEDIA in archive:
        media = layout_by_header(archive, MEDIA, _KEY)
    if media is None or media.file not in archive:
        raise UserError(
            f"{file} has no photos: request the download from GBIF as a Darwin Core archive, "
            f"which has them in {MEDIA}, or put that file beside it"
        )
    return _Download(archive, occurrences, media)


def _read_occurrences(download: _Download, cleaning: Cleaning) -> dict[str, _Occurrence | None]:
    """Return the occurrences that may be kept, by id; None for dropped ones, which are counted."""
    occurrences: dict[str, _Occurrence | None] = {}
    layout = download.occurrences
    for line, row in layout.rows(download.archive, _OCCURRENCE_TERMS):
        if row is None:
            cleaning.drop(WRONG_LENGTH, f"{layout.file}, line {line}")
            continue
        key, name = row[ID_COLUMN], _name(row)
        if not key:
            cleaning.drop("without an id", f"line {line}")
        elif key in occurrences:
            cleaning.drop("duplicate id", key)
        elif row["occurrencestatus"].upper() == "ABSENT":
            cleaning.drop("species recorded as absent", key)
            occurrences[key] = None
        elif reason := cleaning.reason_to_drop_name(name):
            cleaning.drop(reason, name)
            occurrences[key] = None
        elif (basis := row["basisofrecord"].upper().replace("_", "")) in _SPECIMENS and (
            not cleaning.with_specimens
        ):
            cleaning.drop("specimen (see prepare.specimens)", row["basisofrecord"] or basis)
            occurrences[key] = None
        else:
            occurrences[key] = _occurrence(row, name, cleaning)
    return occurrences


def _name(row: dict[str, str]) -> str:
    """Return the accepted name, with the subspecies if there is one, but without authors."""
    given = row["scientificname"]
    if is_hybrid(
        without := without_authorship(given.removesuffix(row["scientificnameauthorship"]))
    ):
        return given
    if species := row["species"]:
        return f"{species} {row['infraspecificepithet']}".strip()
    return without_authorship(row["acceptedscientificname"]) or without


def _occurrence(row: dict[str, str], name: str, cleaning: Cleaning) -> _Occurrence:
    day, note = event_day(row["eventdate"], row["year"], row["month"], row["day"])
    if note:
        cleaning.notes[note] += 1
    places = (row["locality"], row["stateprovince"], row["countrycode"])
    return _Occurrence(
        intern(name),
        intern(row["recordedby"]),
        intern(day),
        row["eventdate"] if "T" in row["eventdate"] else "",
        intern(row["license"]),
        intern(row["rightsholder"]),
        intern(", ".join(filter(None, places))),
        row["decimallatitude"],
        row["decimallongitude"],
        row["references"] if is_web_address(row["references"]) else "",
    )


def _media(download: _Download, cleaning: Cleaning) -> Iterator[tuple[str, dict[str, str]]]:
    for line, row in download.media.rows(download.archive, _MEDIA_TERMS):
        if row is None:
            cleaning.drop(WRONG_LENGTH, f"{download.media.file}, line {line}")
        else:
            yield row[ID_COLUMN], row


def _row(
    occurrence: _Occurrence, medium: dict[str, str], address: str, cleaning: Cleaning
) -> dict[str, str]:
    """Return a photo as a row of an iNaturalist export, without the id."""
    creator = medium["creator"]
    observer = occurrence.observer or creator
    holder = medium["rightsholder"] or medium["owner"] or creator or occurrence.rights_holder
    terms = medium["license"] or medium["rights"] or medium["usageterms"]
    license = parse_license(terms or occurrence.license)
    if terms and not license:
        cleaning.notes["photos have terms of use that are no known license: no license"] += 1
    code, version = license or ("", "")
    return {
        "image_url": address,
        "scientific_name": occurrence.scientific_name,
        "user_login": observer,
        "observed_on": occurrence.observed_on,
        "taken_at": time_of(
            occurrence.event_date, medium["created"] or medium["createdate"], occurrence.observed_on
        ),
        "license": code,
        "attribution": attribution(holder or observer or "unknown observer", code, version),
        "place_guess": occurrence.place,
        "latitude": occurrence.latitude,
        "longitude": occurrence.longitude,
        "url": occurrence.url or f"https://www.gbif.org/occurrence/{medium[ID_COLUMN]}",
        # Without observer and day nothing else tells which photos show one animal.
        "group": "" if observer or occurrence.observed_on else f"occurrence {medium[ID_COLUMN]}",
    }


def _plain(key: str) -> str:
    """Return an id that is safe as a file name: GBIF's number, or a digest of other ids."""
    if is_plain_id(key) and len(key) < 50:
        return key
    return f"occurrence-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
