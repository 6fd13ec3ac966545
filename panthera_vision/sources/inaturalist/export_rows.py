"""An observation as the API tells it → rows as an export has them, or a reason why not."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from panthera_vision.data.photo_table import normalize_newlines
from panthera_vision.data.taxonomy import species_of
from panthera_vision.sources.inaturalist.export import EXPORT_COLUMNS

# An export's columns, and what it does not tell: whom to credit, in the photo's own words.
COLLECTED_COLUMNS = (*EXPORT_COLUMNS, "attribution")

# Column of an export → field of an observation, where they say the same in the same form.
_SAME = {
    "id": "id",
    "uuid": "uuid",
    "observed_on_string": "observed_on_string",
    "observed_on": "observed_on",
    "time_zone": "observed_time_zone",
    "quality_grade": "quality_grade",
    "description": "description",
    "num_identification_agreements": "num_identification_agreements",
    "num_identification_disagreements": "num_identification_disagreements",
    "captive_cultivated": "captive",
    "oauth_application_id": "oauth_application_id",
    "place_guess": "place_guess",
    "positional_accuracy": "positional_accuracy",
    "public_positional_accuracy": "public_positional_accuracy",
    "geoprivacy": "geoprivacy",
    "taxon_geoprivacy": "taxon_geoprivacy",
    "coordinates_obscured": "obscured",
    "positioning_method": "positioning_method",
    "positioning_device": "positioning_device",
    "species_guess": "species_guess",
}
# The API names the smallest size; the others differ in that one word.
_SQUARE_PHOTO = re.compile(r"(https?://[^\s?#]+/photos/\d+/)square(\.[A-Za-z]+)(?:\?\S*)?")
_LONGEST_CELL = 100_000  # characters; the csv module refuses to read a little more than that


def export_rows(
    observation: dict[str, Any],
    *,
    species: str,
    quality_grade: str,
    licenses: Collection[str],
    most_photos: int,
) -> tuple[list[dict[str, str]], str]:
    """The observation's photos as rows of `COLLECTED_COLUMNS`, in its own order.

    `license` and `attribution` are the photo's own: they may differ from the observation's. The
    first photo has the observation's id, as in an export; those after it `<id>_2`, `<id>_3`, ….

    Args:
        observation: one of the API's results; its `id` is a number.
        species: what its taxon must be, or a subspecies of.
        quality_grade: what it must have.
        licenses: codes such as "cc-by", one of which a photo must have.
        most_photos: how many at most.

    Returns:
        The rows, and why there are none: "" where there are.
    """
    taxon = _part(observation, "taxon")
    if species_of(_cell(taxon.get("name"))) != species:
        return [], "of another taxon"
    if observation.get("quality_grade") != quality_grade:
        return [], f"not of grade {quality_grade}"
    photos = [photo for photo in _list(observation, "photos") if isinstance(photo, dict)]
    if not photos:
        return [], "without a photo"
    licensed = [photo for photo in photos if photo.get("license_code") in licenses]
    if not licensed:
        return [], "without a photo under an allowed licence"
    rows: list[dict[str, str]] = []
    shared = _shared(observation, taxon)
    for photo in licensed:
        address = _SQUARE_PHOTO.fullmatch(_cell(photo.get("url")))
        if address and len(rows) < most_photos:
            number = f"_{len(rows) + 1}" if rows else ""
            rows.append(
                shared
                | {
                    "id": f"{shared['id']}{number}",
                    "license": photo["license_code"].upper(),
                    "attribution": _cell(photo.get("attribution")),
                    "image_url": f"{address[1]}medium{address[2]}",
                }
            )
    return rows, "" if rows else "without a usable photo address"


def _shared(observation: dict[str, Any], taxon: dict[str, Any]) -> dict[str, str]:
    """What all photos of an observation have in common."""
    user = _part(observation, "user")
    latitude, _, longitude = _cell(observation.get("location")).partition(",")
    sounds = [sound for sound in _list(observation, "sounds") if isinstance(sound, dict)]
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
    """A value as an export writes it; "" for nothing and for what has parts of its own."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        return ""
    # JSON can name half a character, which no file in UTF-8 can hold.
    words = str(value).encode("utf-8", "replace").decode("utf-8")
    return normalize_newlines(words)[:_LONGEST_CELL]


def _utc(value: Any) -> str:
    """A time as an export writes it, in UTC; "" for what is no time with its zone."""
    try:
        moment = datetime.fromisoformat(_cell(value))
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}" if moment.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _list(whole: dict[str, Any], name: str) -> list[Any]:
    part = whole.get(name)
    return part if isinstance(part, list) else []
