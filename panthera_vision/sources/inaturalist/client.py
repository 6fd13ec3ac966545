"""Client of the iNaturalist API: paged queries with a rate limit, a cache, retries and checks."""

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests
import urllib3
from pyinaturalist.constants import REQUESTS_PER_DAY
from pyinaturalist.session import ClientSession
from requests_ratelimiter import BucketFullException
from tqdm import tqdm

from panthera_vision.errors import UserError
from panthera_vision.io.http_retry import RETRYABLE_STATUSES, parse_retry_after
from panthera_vision.sources.inaturalist.http_limits import (
    LimitedHTTPAdapter,
    ResponseTooLargeError,
)

PAGE_SIZE = 200  # the API's maximum
CACHE_FILE = "cache.sqlite"
RATE_LIMIT_FILE = "pace.sqlite"
_REPORTED_WAIT_S = 5.0
_MAXIMUM_BYTES = 64_000_000  # a page has one or two megabytes
_TOTAL_TIMEOUTS = 4  # a whole page may take so many times the timeout for the next byte


@dataclass(frozen=True)
class ApiSettings:
    """Hold the settings of the client.

    Attributes:
        address: of the API, without a slash at its end.
        user_agent: names the program and a contact.
        requests_per_second: at most; `REQUESTS_PER_DAY` applies, too.
        attempts: for each page.
        timeout_seconds: for the next byte of a response.
        first_backoff_s: before the second attempt; it doubles with each further attempt.
    """

    address: str
    user_agent: str
    requests_per_second: float
    attempts: int
    timeout_seconds: float
    first_backoff_s: float = 1.0


@dataclass(frozen=True)
class Query:
    """Select observations: their species and grade, and the licenses of their photos."""

    species: str
    quality_grade: str
    licenses: tuple[str, ...]


class _RequestError(Exception):
    """Report a failed attempt: whether to retry it, and after how long (0: use the backoff)."""

    def __init__(self, reason: str, *, retryable: bool = True, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class INaturalistClient:
    """Query iNaturalist; a context manager.

    `folder` keeps the cache of responses, which follows the server's headers, and the state of
    the rate limiter, which holds across runs.
    """

    def __init__(self, settings: ApiSettings, folder: Path) -> None:
        self._settings = settings
        self._session = ClientSession(
            cache_file=folder / CACHE_FILE,
            serializer="json",  # not pickle: a cache from elsewhere must not run code
            ratelimit_path=str(folder / RATE_LIMIT_FILE),
            per_second=settings.requests_per_second,
            per_minute=0,  # implied by the limit per second
            per_day=REQUESTS_PER_DAY,
            burst=1,
            # `page` retries, and notices a server that asks to wait for hours.
            max_retries=0,
            limit_statuses=(),
            timeout=math.ceil(settings.timeout_seconds),
            user_agent=settings.user_agent,
        )
        # A week-old page instead of an error would look like "nothing new".
        self._session.settings.stale_if_error = False
        adapter = LimitedHTTPAdapter(_MAXIMUM_BYTES, _TOTAL_TIMEOUTS * settings.timeout_seconds)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.cache.delete(expired=True)
        self._session.close()

    def page(self, query: Query, above: int) -> tuple[list[dict[str, Any]], int]:
        """Return a page of observations whose id is greater than `above`, and the number of all.

        The page holds the first `PAGE_SIZE` of them, by ascending id.

        Raises:
            UserError: the request is refused, or the last attempt failed.
        """
        address = self._settings.address
        for attempt in range(1, self._settings.attempts + 1):
            try:
                # From the server in a retry: the cache may hold a broken response.
                return self._request(query, above, refresh=attempt > 1)
            except _RequestError as error:
                if not error.retryable:
                    raise UserError(f"{address}: {error}") from None
                if attempt == self._settings.attempts:
                    raise UserError(f"{address}: {error}, {attempt} times in a row") from None
                backoff_s = self._settings.first_backoff_s * 2 ** (attempt - 1)
                _wait(error.retry_after_s or backoff_s, error)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _request(
        self, query: Query, above: int, *, refresh: bool
    ) -> tuple[list[dict[str, Any]], int]:
        parameters: dict[str, Any] = {
            "taxon_name": query.species,
            "quality_grade": query.quality_grade,
            "photo_license": [code.upper() for code in query.licenses],
            "photos": True,
            "order_by": "id",
            "order": "asc",
            "per_page": PAGE_SIZE,
            "id_above": above,
        }
        try:
            response = self._session.request(
                "GET",
                f"{self._settings.address}/observations",
                raise_for_status=False,
                force_refresh=refresh,
                **parameters,
            )
            if response.status_code != 200:
                raise _RequestError(
                    f"HTTP {response.status_code}",
                    retryable=response.status_code in RETRYABLE_STATUSES,
                    retry_after_s=parse_retry_after(response.headers.get("Retry-After")),
                )
            return _parse_page(response.json(), above)
        except BucketFullException as error:
            hours = math.ceil(float(error.meta_info["remaining_time"]) / 3600)
            raise _RequestError(
                f"the limit of {REQUESTS_PER_DAY} requests per day is reached; "
                f"try again in {hours} hours",
                retryable=False,
            ) from None
        except (requests.RequestException, urllib3.exceptions.MaxRetryError, RecursionError) as e:
            raise _to_request_error(e) from None


def _to_request_error(error: Exception) -> _RequestError:
    match error:
        case ResponseTooLargeError():
            return _RequestError("the response is too large")
        case requests.Timeout():
            return _RequestError("timed out")
        case requests.JSONDecodeError() | urllib3.exceptions.MaxRetryError() | RecursionError():
            return _RequestError("the response is not JSON")
        case requests.ConnectionError():
            return _RequestError("no connection")
        case (
            requests.exceptions.InvalidSchema()
            | requests.exceptions.InvalidURL()
            | requests.exceptions.MissingSchema()
        ):
            return _RequestError("not a web address", retryable=False)
        case _:
            return _RequestError(f"the request failed ({type(error).__name__})")


def _wait(seconds: float, error: Exception) -> None:
    if seconds >= _REPORTED_WAIT_S:
        tqdm.write(f"iNaturalist: {error}; next attempt in {seconds:.0f} seconds", file=sys.stderr)
    time.sleep(seconds)


def _parse_page(response: Any, above: int) -> tuple[list[dict[str, Any]], int]:
    results = response.get("results") if isinstance(response, dict) else None
    total = response.get("total_results") if isinstance(response, dict) else None
    if (
        not isinstance(results, list)
        or not isinstance(total, int)
        or not all(isinstance(result, dict) for result in results)
    ):
        raise _RequestError("the response is not a page of observations")
    ids = [above, *(result.get("id") for result in results)]
    if not all(type(id) is int for id in ids) or ids != sorted(set(ids)):
        # Paging by id would loop, or skip observations.
        raise _RequestError("the observations are not in ascending order of their ids")
    return results, total if results else 0
