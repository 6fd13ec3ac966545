"""Judge media of GBIF, and convert dates, licenses and addresses of theirs."""

import re
from datetime import date, datetime

_SOUND = "sound, not a photo"
_VIDEO = "video, not a photo"
_WEB_PAGE = "web page, not a photo"
_OTHER = "medium of another kind than a photo"
_BY_SUFFIX = {
    _SOUND: ("mp3", "wav", "m4a", "ogg", "flac", "aac"),
    _VIDEO: ("mp4", "mov", "avi", "mpg", "mpeg", "webm", "mkv", "wmv", "3gp"),
    _WEB_PAGE: ("htm", "html", "php", "pdf"),
}
_SUFFIX = re.compile(r"\.([a-z0-9]{2,5})(?:$|[?#])")
# iNaturalist's photos are published in full size; its own exports name those of 500 pixels.
_ORIGINAL = re.compile(
    r"(https?://(?:static\.inaturalist\.org|inaturalist-open-data\.s3\.amazonaws\.com)/photos/\d+/)"
    r"(?:original|large)(\.\w+(?:\?\S*)?)"
)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")
_LONGEST_RANGE_DAYS = 7


def reason_to_drop(kind: str, format: str, address: str, page: str) -> str | None:
    """Return why a medium is no photo, or None.

    Args:
        kind: term `type`, such as "StillImage", "Sound" or "MovingImage"; may be "".
        format: its media type, such as "image/jpeg", or ""; some publishers write a suffix.
        address: term `identifier`.
        page: term `references`, the address of a web page about it.
    """
    kind, format = kind.lower().replace(" ", ""), format.lower()
    if not address:
        return _WEB_PAGE if page else "no photo"
    suffix = _SUFFIX.search(address.lower())
    for reason, words, beginning in (
        (_SOUND, ("sound", "audio"), "audio/"),
        (_VIDEO, ("movingimage", "video"), "video/"),
        (_WEB_PAGE, ("text", "interactiveresource"), "text/"),
    ):
        if any(word in kind for word in words) or format.startswith(beginning):
            return reason
        if not kind and not format and suffix and suffix[1] in _BY_SUFFIX[reason]:
            return reason
    if "image" in kind or format.startswith("image") or not (kind or format):
        return None
    return None if format.lstrip(".") in {"jpg", "jpeg", "png", "tif", "tiff", "webp"} else _OTHER


def smaller_address(address: str) -> str:
    """Return the address of the size that iNaturalist's exports name (500 pixels), if it is one."""
    match = _ORIGINAL.fullmatch(address)
    return f"{match[1]}medium{match[2]}" if match else address


def event_day(event_date: str, year: str = "", month: str = "", day: str = "") -> tuple[str, str]:
    """Return the ISO day of an `eventDate`, "" without one, and a note for the report, or "".

    Of a range of at most a week the first day is taken. A month or a year alone gives no day.

    >>> event_day("2021-05-01T10:30:00"), event_day("2021-05")
    (('2021-05-01', ''), ('', 'dates have no day'))
    """
    first, _, last = event_date.partition("/")
    start = _day(first)
    if not start and year.isdigit() and month.isdigit() and day.isdigit():
        start = _day(f"{int(year):04}-{int(month):02}-{int(day):02}")
    if not start:
        return "", "dates have no day" if event_date or year else ""
    if not last:
        return start.isoformat(), ""
    # "2021-05-01/03" and "2021-05-01T10:00/11:00" leave out what is the same.
    end = _day(last) or _day(first[: max(10 - len(last), 0)] + last)
    if end is None and not re.fullmatch(r"\d\d:\d\d\S*", last):
        return "", "dates have no day"
    if end is None or end == start:
        return start.isoformat(), ""
    if 0 < (end - start).days < _LONGEST_RANGE_DAYS:
        return start.isoformat(), "dates are ranges of days, of which the first is taken"
    return "", "dates are ranges of more than a week, which count as none"


def time_of(event_date: str, created: str, day: str) -> str:
    """Return the time of a photo: of the medium if on the day of the event, else the event's."""
    for text in (created, event_date.partition("/")[0]):
        if day and text.startswith(day) and len(text) > len(day):
            try:
                return datetime.fromisoformat(text).isoformat()
            except ValueError:
                continue
    return ""


def _day(text: str) -> date | None:
    match = _DAY.fullmatch(text.strip())
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
