"""When to retry an HTTP request: the retryable statuses and the Retry-After header."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRYABLE_STATUSES = frozenset((408, 425, 429, 500, 502, 503, 504))
MAX_RETRY_AFTER_S = 900.0


def parse_retry_after(value: str | None) -> float:
    """Return the seconds of a Retry-After header (a number or a date); 0 without a usable one.

    The result is at most `MAX_RETRY_AFTER_S`, so that no server can block a run.
    """
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
            if until.tzinfo is None:
                until = until.replace(tzinfo=UTC)
            seconds = (until - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    # float() accepts "nan", and a sleep of NaN seconds may never end.
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
