"""Read a table of deployments that a user wrote: where the cameras were, and when."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from panthera_vision.data.photo_table import read_table
from panthera_vision.errors import UserError
from panthera_vision.io.csv_table import parse_number
from panthera_vision.sources.camtrap_dp.labels import parse_time

DEPLOYMENT_COLUMNS = (
    *("deploymentID", "locationID", "locationName", "latitude", "longitude"),
    *("coordinateUncertainty", "deploymentStart", "deploymentEnd", "setupBy", "cameraID"),
    *("cameraModel", "cameraDelay", "cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading"),
    *("detectionDistance", "timestampIssues", "baitUse", "featureType", "habitat"),
    *("deploymentGroups", "deploymentTags", "deploymentComments"),
)
UTC_OFFSET = "utc_offset"
_REQUIRED = ("deploymentID", "latitude", "longitude")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")


def read_deployments(table: Path) -> dict[str, dict[str, str]]:
    """Return the rows by deploymentID, with coordinates that are numbers.

    Raises:
        UserError: the table is not there or lacks a column, or a cell is wrong.
    """
    if not table.is_file():
        raise UserError(
            f"{table} does not exist: a package needs the coordinates of its deployments, in a "
            f"table with the columns {', '.join(_REQUIRED)}"
        )
    found: dict[str, dict[str, str]] = {}
    for row in read_table(table, _REQUIRED).to_dict("records"):
        cells = {str(name): str(cell).strip() for name, cell in row.items()}
        name = cells["deploymentID"]
        for column, most in (("latitude", 90), ("longitude", 180)):
            cells[column] = cells[column].replace(",", ".")
            if not _is_within(cells[column], most):
                raise UserError(f"{table}: {column} {row[column]!r} of {name!r} is no coordinate")
        offset = cells.get(UTC_OFFSET, "")
        if offset and not _OFFSET.fullmatch(offset):
            raise UserError(f"{table}: {UTC_OFFSET} {offset!r} of {name!r}; write it as +05:45")
        for column in ("deploymentStart", "deploymentEnd"):
            if cells.get(column) and not _has_zone(cells[column]):
                raise UserError(
                    f"{table}: {column} {cells[column]!r} of {name!r}; write a time with its zone, "
                    "such as 2023-05-01T12:00:00+05:45"
                )
        if not name or name in found:
            raise UserError(f"{table}: deploymentID {name!r} is {'twice' if name else 'empty'}")
        found[name] = cells
    return found


def _is_within(cell: str, most: float) -> bool:
    number = parse_number(cell)
    return number is not None and abs(number) <= most


def _has_zone(text: str) -> bool:
    return parse_time(text) is not None and bool(re.search(r"T.*(Z|[+-]\d\d:?\d\d)$", text))


class DeploymentTimes:
    """Keep the first and the last time of each deployment."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._last: dict[str, str] = {}

    def add(self, deployment: str, time: str) -> None:
        """Note the time of a photo, as ISO 8601 with its zone."""
        first = self._first.setdefault(deployment, time)
        last = self._last.setdefault(deployment, time)
        self._first[deployment] = min(first, time, key=_seconds)
        self._last[deployment] = max(last, time, key=_seconds)

    def deployment_rows(self, table: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, str]]:
        """Yield the rows of deployments with a photo, or with start and end of their own."""
        for name, cells in table.items():
            start = cells.get("deploymentStart") or self._first.get(name, "")
            end = cells.get("deploymentEnd") or self._last.get(name, "")
            if start and end:
                known = {column: cells.get(column, "") for column in DEPLOYMENT_COLUMNS}
                yield known | {"deploymentStart": start, "deploymentEnd": end}


def _seconds(time: str) -> float:
    return parse_time(time) or 0.0
