"""Turn a folder of one's own photos into the rows of an observation table.

Species are the names of folders (ImageFolder), at any depth: Panthera_leo/camera_1/1.jpg; or the
labels of a CSV table. Days, times, places and photographers are those of EXIF.
"""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from panthera_vision.data.coordinates import Coordinates, generalize
from panthera_vision.data.photo_table import read_table
from panthera_vision.data.taxonomy import COMMON_NAMES, is_hybrid, species_of_folder
from panthera_vision.errors import UserError, closest_name, list_names
from panthera_vision.images.exif import CameraData, read_camera_data
from panthera_vision.images.folders import FolderListing, list_photos
from panthera_vision.images.readable import reason_if_unreadable
from panthera_vision.io.file_names import find_spelling
from panthera_vision.io.progress import progress_bar

COLUMNS = (
    *("id", "image_url", "scientific_name", "user_login", "observed_on", "taken_at"),
    *("place_guess", "latitude", "longitude", "license", "attribution", "group"),
)
_FILE_COLUMNS = ("file", "filename", "file_name", "image_url", "image", "path", "photo")
_LABEL_COLUMNS = ("scientific_name", "species", "label", "class")
# Only a genus with a capital letter makes a species of which nothing else is known.
_BINOMIAL = re.compile(r"([A-Z][a-z]+)[ _]([a-z-]{3,})(?:[ _]([a-z-]{3,}))?")
_MISSPELLED = 0.93  # "Panthera leoo"
_NOT_NAME = re.compile(r"[^A-Za-z0-9]+")
MIN_PHOTOS = 3  # of a species: train, validation and test need one each
_SIDE = 64  # pixels; decoding at a reduced size finds damaged files, too
_RIGHTS = re.compile(
    r"©|\(c\)|copyright|all rights reserved|\b(?:19|20)\d\d\b|^[\s,;.-]+|[\s,;.-]+$", re.IGNORECASE
)


@dataclass
class PhotoTree:
    """Hold the rows of a folder's photos, and what was left out.

    Attributes:
        rows: column of `COLUMNS` → cell.
        unnamed: number of photos by the folder, or the label, that names no species.
        unreadable: number of files by reason; `example` is one of them.
        listing: what was found in the folder, and passed over.
    """

    listing: FolderListing
    rows: list[dict[str, str]] = field(default_factory=list)
    unnamed: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    example: str = ""

    def photos_by_species(self) -> Counter[str]:
        """Return the number of photos by species, subspecies counted with theirs."""
        return Counter(" ".join(row["scientific_name"].split()[:2]) for row in self.rows)

    def trainable_species(self) -> list[str]:
        """Return the species with at least `MIN_PHOTOS` photos, sorted."""
        counts = self.photos_by_species()
        return sorted(name for name, count in counts.items() if count >= MIN_PHOTOS)

    def summary(self) -> str:
        """Return one phrase: photos by species, and what was left out and why."""
        found = self.photos_by_species().most_common()
        known = {name: "" if name in COMMON_NAMES else " (check the spelling)" for name, _ in found}
        listed = list_names(f"{count} {name}{known[name]}" for name, count in found)
        phrases = [f"{len(self.rows)} photos of {len(found)} species ({listed})"]
        with_time = sum(bool(row["taken_at"]) for row in self.rows)
        with_place = sum(bool(row["latitude"]) for row in self.rows)
        phrases.append(f"{with_time} with an EXIF time, {with_place} with a place")
        if self.unnamed:
            names = list_names(
                f"{count} in {name!r}{_hint(name)}" for name, count in self.unnamed.most_common()
            )
            phrases.append(f"left out, because no folder names a species: {names}")
        if self.unreadable:
            reasons = ", ".join(f"{count} {why}" for why, count in self.unreadable.most_common())
            phrases.append(f"left out, because unreadable: {reasons}, such as {self.example}")
        return "; ".join(phrases) + self.listing.note()


@dataclass(frozen=True)
class _Seen:
    data: CameraData
    reason: str


def read_photo_tree(
    folder: Path,
    table_folder: Path,
    *,
    labels: Path | None = None,
    coordinates: Coordinates = "exact",
    threads: int = 2,
) -> PhotoTree:
    """Return the rows of all photos below `folder` whose species is named.

    The rows are the same for the same files, whatever the order in which a disk lists them.

    Args:
        folder: of the photos.
        table_folder: that the addresses of photos will be relative to.
        labels: a table of files and species, which counts before the names of folders; its other
            columns are taken over where they are those of an observation table.
        coordinates: whether those of EXIF are exact, to a tenth of a degree, or left out.
        threads: that read photos.

    Raises:
        UserError: there is no folder, no photo in it, or no species that is named.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; name the folder of your photos")
    tree = PhotoTree(list_photos(folder))
    given = _read_labels(labels, folder) if labels else {}
    jobs = [(photo, given.get(photo.resolve(), {})) for photo in tree.listing.photos]
    named = [(photo, row, _scientific_name(photo, folder, row)) for photo, row in jobs]
    for photo, row, name in named:
        if not name:
            tree.unnamed[row.get("scientific_name") or _folder(photo, folder)] += 1
    wanted = [(photo, row, name) for photo, row, name in named if name]
    with ThreadPoolExecutor(threads) as pool:
        seen = pool.map(_see, (photo for photo, _, _ in wanted))
        bar = progress_bar("read", "photo", len(wanted), seen)
        for (photo, row, name), what in zip(wanted, bar, strict=True):
            if what.reason:
                tree.unreadable[what.reason] += 1
                tree.example = tree.example or str(photo)
            else:
                tree.rows.append(
                    _row(photo.relative_to(folder), what.data, coordinates)
                    | {column: cell for column, cell in row.items() if cell}
                    | {"scientific_name": name, "image_url": _address(photo, table_folder)}
                )
    if not tree.rows:
        raise UserError(
            f"{folder}: no photo whose folder names a species, such as Panthera_leo/1.jpg; "
            f"{tree.summary()}"
        )
    return tree


def _see(photo: Path) -> _Seen:
    if not str(photo).isprintable():
        return _Seen(CameraData(), "file name that is not UTF-8 or has control characters")
    return _Seen(read_camera_data(photo), reason_if_unreadable(photo, _SIDE))


def _row(relative: Path, data: CameraData, coordinates: Coordinates) -> dict[str, str]:
    # Without a day an observer would join all of their photos into one group.
    owner = data.artist or " ".join(_RIGHTS.sub(" ", data.copyright).split())
    places = (generalize(each, coordinates) for each in (data.latitude, data.longitude))
    latitude, longitude = ("" if each is None else str(each) for each in places)
    return dict.fromkeys(COLUMNS, "") | {
        "id": _id(relative),
        "user_login": owner if data.taken_at else "",
        "observed_on": data.taken_at.date().isoformat() if data.taken_at else "",
        "taken_at": data.time,
        "latitude": latitude,
        "longitude": longitude,
        "attribution": f"(c) {owner}, all rights reserved" if owner else "",
    }


def _id(relative: Path) -> str:
    """Return an id that tells photos of one name in several folders apart, on any system."""
    name = unicodedata.normalize("NFC", relative.as_posix())
    stem = _NOT_NAME.sub("_", unicodedata.normalize("NFKD", relative.stem)).strip("_")[:40]
    return f"{stem or 'photo'}-{hashlib.sha256(name.encode()).hexdigest()[:10]}"


def _address(photo: Path, table_folder: Path) -> str:
    return Path(os.path.relpath(photo.absolute(), table_folder.absolute())).as_posix()


def _scientific_name(photo: Path, folder: Path, row: Mapping[str, str]) -> str:
    """Return the species or subspecies of a photo; "" if nothing names one."""
    if label := row.get("scientific_name"):
        return species_named(label)
    names = [species_named(part) for part in photo.relative_to(folder).parts[:-1]]
    known = [name for name in names if " ".join(name.split()[:2]) in COMMON_NAMES]
    return next(iter([*known, *filter(None, names)]), "")


def species_named(folder: str) -> str:
    """Return the species or subspecies that the name of a folder stands for; "" for another name.

    >>> species_named("Panthera_leo"), species_named("snow leopards"), species_named("DCIM")
    ('Panthera leo', 'Panthera uncia', '')
    """
    text = unicodedata.normalize("NFC", folder).strip()
    if is_hybrid(text.replace("_", " ")):
        return ""
    species = species_of_folder(text)
    match = _BINOMIAL.fullmatch(text)
    if species in COMMON_NAMES:
        is_subspecies = match and match[3] and f"{match[1]} {match[2]}" == species
        return f"{species} {match[3]}" if match and is_subspecies else str(species)
    name = " ".join(filter(None, match.groups())) if match else ""
    is_misspelled = closest_name(" ".join(name.split()[:2]), COMMON_NAMES, cutoff=_MISSPELLED)
    return "" if is_misspelled else name


def _hint(name: str) -> str:
    close = closest_name(name.replace("_", " "), COMMON_NAMES, cutoff=0.85)
    return f" ({close}?)" if close else ""


def _folder(photo: Path, folder: Path) -> str:
    return photo.relative_to(folder).parent.as_posix()


def _read_labels(labels: Path, folder: Path) -> dict[Path, dict[str, str]]:
    """Return the rows of a table of labels by the resolved path of the photo."""
    table = read_table(labels, ())
    columns = {str(name).lower(): str(name) for name in table}
    file = next((columns[name] for name in _FILE_COLUMNS if name in columns), None)
    label = next((columns[name] for name in _LABEL_COLUMNS if name in columns), None)
    if file is None or label is None:
        raise UserError(
            f"{labels}: a table of labels needs a column {' or '.join(_FILE_COLUMNS[:2])} and a "
            f"column {' or '.join(_LABEL_COLUMNS)}; it has {list_names(map(str, table))}"
        )
    kept = [name for name in COLUMNS if name in table and name not in ("id", "image_url")]
    rows = {}
    for record in table.to_dict("records"):
        row = {name: str(record[name]) for name in kept}
        for path in _candidates(str(record[file]), labels.parent, folder):
            rows[path] = row | {"scientific_name": str(record[label])}
    return rows


def _candidates(file: str, *folders: Path) -> Iterator[Path]:
    for folder in folders:
        try:
            if found := find_spelling(folder / file):
                yield found.resolve()
        except (OSError, ValueError):  # a null character, too long, …
            continue
