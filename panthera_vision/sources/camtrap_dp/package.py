"""Open a Camtrap DP package: its descriptor, and its three tables row by row.

Camtrap DP 1.0 (Bubnicki et al., "Camtrap DP: an open standard for the FAIR exchange and archiving
of camera trap data", Remote Sensing in Ecology and Conservation, 2024) is a Data Package of the
tables deployments, media and observations. A package is untrusted: its paths must stay inside it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from panthera_vision.data.csv_dialect import read_rows
from panthera_vision.errors import UserError, list_names
from panthera_vision.io.zip_archives import list_zip, unpack_zip

DESCRIPTOR = "datapackage.json"
TABLES = ("deployments", "media", "observations")
REQUIRED_COLUMNS = {
    "deployments": ("deploymentID",),
    "media": ("mediaID", "deploymentID", "filePath"),
    "observations": ("observationType",),
}
_MAX_DESCRIPTOR_BYTES = 50_000_000
_VERSION = re.compile(r"camtrap-dp/(?:v)?(\d+)\.(\d[\w.-]*)/")
# Parquet and Excel files may have them; in a CSV table they mean a missing value, too.
_MISSING = frozenset(("NA", "NaN", "nan"))


@dataclass(frozen=True)
class CamtrapPackage:
    """Hold the descriptor of a package and where its tables are.

    Attributes:
        folder: that the paths of the package are relative to.
        descriptor: the content of datapackage.json.
        version: of Camtrap DP, such as "1.0.1"; "" where the package names none.
        tables: name of a table → its file or files.
    """

    folder: Path
    descriptor: dict[str, Any]
    version: str
    tables: dict[str, tuple[Path, ...]]

    def header(self, table: str) -> list[str]:
        """Return the names of a table's columns, in all its files.

        Raises:
            UserError: see `rows`.
        """
        headers = (_header(file, read_rows(file)) for file in self.tables[table])
        return list(dict.fromkeys(name for header in headers for name in header))

    def rows(self, table: str, *, verbatim: bool = False) -> Iterator[dict[str, str] | None]:
        """Yield each row as column → cell; None for one of the wrong length.

        Cells are stripped, and a sign for a missing value is empty, unless `verbatim`.

        Raises:
            UserError: the table is not CSV in UTF-8, or lacks a column that is needed.
        """
        for file in self.tables[table]:
            rows = read_rows(file)
            header = _header(file, rows)
            missing = [name for name in REQUIRED_COLUMNS[table] if name not in header]
            if missing:
                raise UserError(
                    f"{file}: column {', '.join(map(repr, missing))} is missing; the table has "
                    f"{list_names(map(repr, header))}"
                )
            for _, cells in rows:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    yield None
                    continue
                yield dict(zip(header, cells if verbatim else map(_cleaned, cells), strict=True))


def _cleaned(cell: str) -> str:
    value = cell.strip()
    return "" if value in _MISSING else value


def find_package(folder: Path) -> Path | None:
    """Return the descriptor of the package in a folder, or the only archive that has one."""
    if (folder / DESCRIPTOR).is_file():
        return folder / DESCRIPTOR
    if not folder.is_dir():
        return None
    archives = [path for path in sorted(folder.glob("*.[zZ][iI][pP]")) if _descriptor_in(path)]
    return archives[0] if len(archives) == 1 else None


def _descriptor_in(archive: Path) -> str:
    """Return the name of the descriptor in an archive: at its top or in its only folder; or ""."""
    names = [name for name in list_zip(archive) if PurePosixPath(name).name == DESCRIPTOR]
    shallow = [name for name in names if len(PurePosixPath(name).parts) <= 2]
    return min(shallow, key=len) if shallow else ""


def open_package(file: Path) -> CamtrapPackage:
    """Open a package by its datapackage.json, its folder, or a ZIP archive of it.

    An archive is unpacked into a folder beside it that has its name without `.zip`.

    Raises:
        UserError: it is not a Camtrap DP package of a version from 1.0, or is damaged; or see
            `unpack_zip`.
    """
    if file.is_dir():
        file = file / DESCRIPTOR
    elif file.suffix.lower() == ".zip":
        inside = _descriptor_in(file)
        if not inside:
            raise UserError(f"{file}: no {DESCRIPTOR} in it, so it is no Camtrap DP package")
        file = unpack_zip(file, file.with_suffix("")) / inside
    descriptor = _read_descriptor(file)
    resources = descriptor.get("resources")
    by_name = {
        str(resource.get("name")): resource
        for resource in (resources if isinstance(resources, list) else [])
        if isinstance(resource, dict)
    }
    version = _version(descriptor, by_name)
    if not set(TABLES) <= set(by_name):
        raise UserError(
            f"{file} is no Camtrap DP package: it needs the resources {', '.join(TABLES)} and has "
            f"{list_names(by_name) or 'none'}"
        )
    if version.startswith("0."):
        raise UserError(f"{file}: Camtrap DP {version}; export the package as version 1.0 or later")
    tables = {name: _files(file, name, by_name[name]) for name in TABLES}
    return CamtrapPackage(file.parent, descriptor, version, tables)


def _read_descriptor(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _MAX_DESCRIPTOR_BYTES:
            raise UserError(f"{file}: larger than {_MAX_DESCRIPTOR_BYTES // 1_000_000} MB")
        # Half a surrogate pair, which JSON may hold, can't be written as UTF-8.
        text = json.dumps(json.loads(file.read_text(encoding="utf-8-sig")), ensure_ascii=False)
        descriptor = json.loads(text.encode("utf-8", "replace"))
    except FileNotFoundError:
        raise UserError(f"{file} does not exist") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not JSON in UTF-8: {str(error)[:100]}") from None
    if not isinstance(descriptor, dict):
        raise UserError(f"{file} is no data package: it holds no JSON object")
    return descriptor


def _version(descriptor: dict[str, Any], resources: dict[str, dict[str, Any]]) -> str:
    """Return the version that the profile or the schema of a table names; "" if none does."""
    named = [descriptor.get("profile"), *(each.get("schema") for each in resources.values())]
    for address in named:
        if match := _VERSION.search(str(address) if isinstance(address, str) else ""):
            return f"{match[1]}.{match[2]}"
    return ""


def _files(descriptor: Path, name: str, resource: dict[str, Any]) -> tuple[Path, ...]:
    """Return the files of a table, checked to lie in the package's folder."""
    path = resource.get("path")
    named = path if isinstance(path, list) else [path]
    paths = [each for each in named if isinstance(each, str) and each]
    if not paths or len(paths) < len(named):
        raise UserError(f"{descriptor}: the resource {name} names no file in 'path'")
    root = descriptor.parent.resolve()
    for each in paths:
        if "://" in each:
            raise UserError(f"{descriptor}: {name} is at {each[:80]}; download it into the package")
        if not each.lower().endswith((".csv", ".tsv", ".txt")):
            raise UserError(f"{descriptor}: {name} is {each[:80]!r}; only CSV tables can be read")
        if PurePosixPath(each).is_absolute() or not is_inside(root / each, root):
            raise UserError(f"{descriptor}: {name} is {each[:80]!r}, outside the package")
        if not (root / each).is_file():
            raise UserError(f"{descriptor.parent / each} does not exist; {DESCRIPTOR} names it")
    return tuple(descriptor.parent / each for each in paths)


def is_inside(path: Path, root: Path) -> bool:
    """Return whether a path lies in a folder, links followed; `root` is resolved."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, ValueError, RuntimeError):  # too long, a null character, a loop of links
        return False


def _header(file: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    first: Sequence[str] = next((row for _, row in rows if any(cell.strip() for cell in row)), ())
    header = [name.strip() for name in first]
    if not header:
        raise UserError(f"{file} is empty; a table begins with a header row")
    return header
