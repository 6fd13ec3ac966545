"""Convert observations of the API to rows of an export, or a reason why there are none."""

import re
from datetime import UTC, datetime
from typing import Any

from panthera_vision.data.taxonomy import species_of
from panthera_vision.io.csv_safety import normalize_newlines
from panthera_vision.sources.inaturalist.client import Query
from panthera_vision.sources.inaturalist.export import EXPORT_COLUMNS

COLLECTED_COLUMNS = (*EXPORT_COLUMNS, "attribution")  # which an export lacks

# Column of an export → field of an observation with the same value.
_SAME = {
    "observed_on_string": "observed_on_string",
    "observed_on": "observed_on",
    "time_zone": "observed_time_zone",
    "captive_cultivated": "captive",
    "coordinates_obscured": "obscured",
} | {
    name: name
    for name in (
        *("id", "uuid", "quality_grade", "description", "oauth_application_id", "place_guess"),
        *("num_identification_agreements", "num_identification_disagreements"),
        *("positional_accuracy", "public_positional_accuracy", "geoprivacy", "taxon_geoprivacy"),
        *("positioning_method", "positioning_device", "species_guess"),
    )
}
# The API gives the URL of the smallest size; the others differ in that one word.
_SQUARE_PHOTO = re.compile(r"(https?://[^\s?#]+/photos/\d+/)square(\.[A-Za-z]+)(?:\?\S*)?")
_MAX_CELL = 100_000  # characters; the csv module reads little more


def export_rows(
    observation: dict[str, Any], query: Query, max_photos: int
) -> tuple[list[dict[str, str]], str]:
    """Return the photos of an observation as rows of `COLLECTED_COLUMNS`.

    `license` and `attribution` are the photo's, which may differ from the observation's. The
    first row has the observation's id, as in an export; further rows `<id>_2`, `<id>_3`, ….

    Args:
        observation: a result of the API, whose `id` is a number.
        query: the query it must match; subspecies match their species.
        max_photos: how many rows at most.

    Returns:
        The rows, and the reason why there are none, or "".
    """
    taxon = _dict(observation, "taxon")
    if species_of(_cell(taxon.get("name"))) != query.species:
        return [], "of another taxon"
    if observation.get("quality_grade") != query.quality_grade:
        return [], f"not of grade {query.quality_grade}"
    photos = _dicts(observation, "photos")
    if not photos:
        return [], "without a photo"
    licensed = [photo for photo in photos if photo.get("license_code") in query.licenses]
    if not licensed:
        return [], "without a photo under an allowed licence"
    rows: list[dict[str, str]] = []
    shared = _shared_cells(observation, taxon)
    for photo in licensed:
        url = _SQUARE_PHOTO.fullmatch(_cell(photo.get("url")))
        if url and len(rows) < max_photos:
            suffix = f"_{len(rows) + 1}" if rows else ""
            rows.append(
                shared
                | {
                    "id": f"{shared['id']}{suffix}",
                    "license": photo["license_code"].upper(),
                    "attribution": _cell(photo.get("attribution")),
                    "image_url": f"{url[1]}medium{url[2]}",
                }
            )
    return rows, "" if rows else "without a usable photo address"


def _shared_cells(observation: dict[str, Any], taxon: dict[str, Any]) -> dict[str, str]:
    """Return the cells that all photos of an observation share."""
    user = _dict(observation, "user")
    latitude, _, longitude = _cell(observation.get("location")).partition(",")
    sounds = _dicts(observation, "sounds")
    return dict.fromkeys(COLLECTED_COLUMNS, "") | {
        **{column: _cell(observation.get(field)) for column, field in _SAME.items()},
        "time_observed_at": _utc(observation.get("time_observed_at")),
        "created_at": _utc(observation.get("created_at")),
        "updated_at": _utc(observation.get("updated_at")),
        "user_id": _cell(user.get("id")),
        "user_login": _cell(user.get("login")),
        "user_name": _cell(user.get("name")),
        "url": f"https://www.inaturalist.org/observations/{observation['id']}",
        "sound_url": _cell(sounds[0].get("file_url")) if sounds else "",
        "tag_list": ", ".join(filter(None, map(_cell, _list(observation, "tags")))),
        "latitude": latitude,
        "longitude": longitude,
        "scientific_name": _cell(taxon.get("name")),
        "common_name": _cell(taxon.get("preferred_common_name")),
        "iconic_taxon_name": _cell(taxon.get("iconic_taxon_name")),
        "taxon_id": _cell(taxon.get("id")),
    }


def _cell(value: Any) -> str:
    """Format a value as an export does; return "" for null, lists and objects."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        return ""
    # JSON may hold half a surrogate pair, which UTF-8 can't encode.
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return normalize_newlines(text)[:_MAX_CELL]


def _utc(value: Any) -> str:
    """Format a time in UTC as an export does; return "" for a time without a zone."""
    try:
        moment = datetime.fromisoformat(_cell(value))
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}" if moment.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def _dict(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _list(parent: dict[str, Any], name: str) -> list[Any]:
    value = parent.get(name)
    return value if isinstance(value, list) else []


def _dicts(parent: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [item for item in _list(parent, name) if isinstance(item, dict)]
