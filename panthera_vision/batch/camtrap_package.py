"""Classify the photos of a Camtrap DP package, and write the package with what the model says."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from panthera_vision import __version__
from panthera_vision.batch.input_files import InputFiles
from panthera_vision.batch.output_formats import Row
from panthera_vision.errors import UserError, closest_name
from panthera_vision.io.file_names import find_spelling
from panthera_vision.io.urls import is_local
from panthera_vision.models.prediction import NONE_OF_THESE
from panthera_vision.sources.camtrap_dp.observations import OUTSIDE, reason_to_skip
from panthera_vision.sources.camtrap_dp.package import (
    DESCRIPTOR,
    CamtrapPackage,
    is_inside,
    open_package,
)
from panthera_vision.sources.camtrap_dp.writing import Classification, Classifier, write_package

PREDICTIONS_FILE = "predictions.csv"
DOWNLOAD_LOG = "download_log.jsonl"
_AT_WEB_ADDRESS = "at a web address"
# Answers that are no species → the observationType.
_KINDS = {"blank": "blank", "person": "human", "vehicle": "vehicle", NONE_OF_THESE: "unknown"}
_Medium = tuple[str, str, str]  # mediaID, deploymentID, timestamp


def package_named_by(sources: Sequence[Path]) -> CamtrapPackage | None:
    """Open the package that a command line names; None if it names something else.

    It is named alone, by its folder, its datapackage.json, or a ZIP archive of it.

    Raises:
        UserError: see `open_package`.
    """
    if len(sources) != 1:
        return None
    (source,) = sources
    if source.is_dir():
        return open_package(source) if (source / DESCRIPTOR).is_file() else None
    is_package = source.name == DESCRIPTOR or source.suffix.lower() == ".zip"
    return open_package(source) if is_package and source.is_file() else None


@dataclass
class PackagePhotos:
    """Hold the photos of a package that are on this machine.

    Attributes:
        package: that they are of.
        media: absolute path → mediaID, deploymentID and timestamp, in the order of the table.
        cells: absolute path → cell of the column that was asked for.
        skipped: numbers of media that are not classified, by reason.
    """

    package: CamtrapPackage
    media: dict[str, _Medium] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    def inputs(self) -> InputFiles:
        """Return the photos as those of a command line."""
        return InputFiles([Path(file) for file in self.media], cells=self.cells)

    def note(self) -> str:
        """Return the counts of what was skipped, to append to a summary; "" if nothing was."""
        if not self.skipped:
            return ""
        listed = ", ".join(f"{count} {reason}" for reason, count in self.skipped.most_common())
        return f", {self.skipped.total()} media not classified ({listed})"


def find_package_photos(
    package: CamtrapPackage,
    column: str = "",
    fetched: Mapping[str, Path] = MappingProxyType({}),
) -> PackagePhotos:
    """List the photos of a package that are files in it, or were downloaded.

    Args:
        package: with the table media.
        column: of that table, whose cells are returned, too.
        fetched: web address → file that was downloaded from there.

    Raises:
        UserError: there is none on this machine, or no such column.
    """
    columns = package.header("media")
    if column and column not in columns:
        close = closest_name(column, columns)
        meant = f" (did you mean {close}?)" if close else ""
        raise UserError(f"the table media has no column {column!r}{meant}")
    found = PackagePhotos(package)
    root = package.folder.resolve()
    for row in package.rows("media"):
        if row is None:
            found.skipped["in a row with a wrong number of fields"] += 1
        elif reason := reason_to_skip(row):
            found.skipped[reason] += 1
        elif not is_local(row["filePath"]):
            if row["filePath"] in fetched:
                _add(found, fetched[row["filePath"]], row, column)
            else:
                found.skipped[_AT_WEB_ADDRESS] += 1
        else:
            path = (package.folder / row["filePath"]).absolute()
            path = find_spelling(path) or path
            if is_inside(path, root):
                _add(found, path, row, column)
            else:  # by a symbolic link
                found.skipped[OUTSIDE] += 1
    if not found.media:
        advice = "; --download fetches them" if _AT_WEB_ADDRESS in found.skipped else ""
        raise UserError(
            f"{package.tables['media'][0]}: no photo on this machine{found.note()}{advice}"
        )
    return found


def _add(found: PackagePhotos, path: Path, row: Mapping[str, str], column: str) -> None:
    if str(path) in found.media:
        found.skipped["file named before"] += 1
        return
    found.media[str(path)] = (row["mediaID"], row["deploymentID"], row.get("timestamp", ""))
    if column:
        found.cells[str(path)] = row[column]


def check_package_output(out: Path, package: CamtrapPackage) -> None:
    """Check that a package may be written into the folder `out`.

    Raises:
        UserError: `out` is a file, is in the package or contains it, or holds other files.
    """
    source, target = package.folder.resolve(), out.resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise UserError(f"--out {out} would overwrite the package {package.folder}; name another")
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise UserError(f"--out {out} is a file; name a folder for the package")
    # What an interrupted run left, or an earlier one wrote, may be replaced.
    ours = (DESCRIPTOR, DOWNLOAD_LOG)
    is_ours = any((out / name).exists() for name in ours) or any(out.glob(f"{PREDICTIONS_FILE}*"))
    if any(out.iterdir()) and not is_ours:
        raise UserError(f"--out {out} has other files in it; name a new folder")


@dataclass(frozen=True)
class CamtrapOutput:
    """Write a package with the rows of a batch as observations; an output of `BatchOptions`."""

    photos: PackagePhotos
    folder: Path
    fingerprint: str

    def __call__(self, rows: Iterable[Row]) -> str:
        """Write the package; return the number of observations, to append to a summary."""
        time = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        name = f"panthera-vision {__version__} {self.fingerprint}"
        written = write_package(
            self.photos.package, self._classifications(rows), self.folder, Classifier(name, time)
        )
        return f"; {written.summary()}"

    def _classifications(self, rows: Iterable[Row]) -> Iterator[Classification]:
        for row in rows:
            medium = self.photos.media.get(str(Path(row["file"]).absolute()))
            if medium and not row["reason"]:
                yield classification_of(row, medium)


def classification_of(row: Row, medium: _Medium) -> Classification:
    """Return what a row of the table of predictions says, as an observation.

    "None of these" is of the type unknown where the whole photo was classified, and an animal
    without a name where a detector found one.
    """
    answer, box = row["answer"], _box(row)
    kind = _KINDS.get(answer, "animal")
    species, probability, comment = "", None, ""
    if kind == "animal":
        species, probability = answer, row["probability"]
    elif answer == NONE_OF_THESE:
        kind = "animal" if box else kind
        comment = f"none of the model's species; the likeliest is {row['species']}"
    elif kind != "blank":
        probability = row.get("detection_confidence")
    return Classification(
        *medium,
        kind=kind,
        species=species,
        probability=probability,
        box=box,
        number=row.get("box") or 0,
        comment=comment,
    )


def _box(row: Row) -> tuple[float, float, float, float] | None:
    values = tuple(row.get(name) for name in ("x", "y", "width", "height"))
    return None if None in values else values  # type: ignore[return-value]
