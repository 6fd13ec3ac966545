"""iNaturalist's API, asked page by page: gently, patiently, and with doubts about the answers."""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
import urllib3
from pyinaturalist.constants import API_V1, REQUESTS_PER_DAY
from pyinaturalist.session import ClientSession
from requests_ratelimiter import BucketFullException
from tqdm import tqdm

from panthera_vision.errors import UserError
from panthera_vision.io.http_retry import RETRYABLE_STATUSES, parse_retry_after
from panthera_vision.sources.inaturalist.http_limits import AnswerTooLargeError, LimitedHTTPAdapter

DEFAULT_ADDRESS = API_V1
PAGE_SIZE = 200  # the most that the API gives at once
CACHE_FILE = "cache.sqlite"
PACE_FILE = "pace.sqlite"
_WORTH_TELLING_SECONDS = 5.0
# A page has one or two megabytes. It may come slowly: its whole time is so many times the timeout,
# which is for the next byte.
_MAXIMUM_BYTES = 64_000_000
_PATIENCE = 4


@dataclass(frozen=True)
class ApiSettings:
    """How to ask.

    Attributes:
        address: of the API, without a slash at its end.
        user_agent: says who asks, and how to reach them.
        requests_per_second: at most; `REQUESTS_PER_DAY` holds besides.
        attempts: how often a page is asked for before the run ends.
        timeout_seconds: for the next byte of an answer.
        first_pause: seconds before the second attempt; each further pause is twice as long.
    """

    address: str
    user_agent: str
    requests_per_second: float
    attempts: int
    timeout_seconds: float
    first_pause: float = 1.0


@dataclass(frozen=True)
class Query:
    """Which observations: of which taxon and grade, their photos under which licences."""

    taxon_name: str
    quality_grade: str
    licenses: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Observations as the API tells them, by rising id, and how many there are from here on."""

    observations: list[dict[str, Any]]
    remaining: int

    @property
    def is_last(self) -> bool:
        return self.remaining <= len(self.observations)


class _RequestError(Exception):
    """One attempt failed; where `retryable`, try again after `pause` seconds."""

    def __init__(self, reason: str, *, retryable: bool = True, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.retryable = retryable
        self.pause = pause


class INaturalistClient:
    """A session with iNaturalist, to be used in a `with` statement.

    Answers are cached, for as long as the server allows, and the pace is kept across runs; both
    in `folder`.
    """

    def __init__(self, settings: ApiSettings, folder: Path) -> None:
        self._settings = settings
        self._session = ClientSession(
            cache_file=folder / CACHE_FILE,
            # Not pickle: a cache that came from elsewhere must not be able to run code.
            serializer="json",
            ratelimit_path=str(folder / PACE_FILE),
            per_second=settings.requests_per_second,
            per_minute=0,  # the pace by the second is one by the minute, too
            per_day=REQUESTS_PER_DAY,
            burst=1,
            # Failures are retried here, where a server that wants hours of patience is noticed.
            max_retries=0,
            limit_statuses=(),
            timeout=math.ceil(settings.timeout_seconds),
            user_agent=settings.user_agent,
        )
        # A week-old page in place of an error would look like "nothing new".
        self._session.settings.stale_if_error = False
        for scheme in ("https://", "http://"):
            self._session.mount(
                scheme, LimitedHTTPAdapter(_MAXIMUM_BYTES, _PATIENCE * settings.timeout_seconds)
            )

    def __enter__(self) -> "INaturalistClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.cache.delete(expired=True)
        self._session.close()

    def page(self, query: Query, above: int) -> Page:
        """The first `PAGE_SIZE` observations whose id is greater than `above`.

        Raises:
            UserError: there was no usable answer, at the last attempt either.
        """
        for attempt in range(1, self._settings.attempts + 1):
            try:
                return self._request(query, above, anew=attempt > 1)
            except _RequestError as error:
                if not error.retryable:
                    raise UserError(f"{self._settings.address}: {error}") from None
                if attempt == self._settings.attempts:
                    raise UserError(
                        f"{self._settings.address}: {error}, {attempt} times in a row"
                    ) from None
                self._wait(error.pause or self._settings.first_pause * 2 ** (attempt - 1), error)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait(self, seconds: float, error: Exception) -> None:
        if seconds >= _WORTH_TELLING_SECONDS:
            tqdm.write(f"iNaturalist: {error}; going on in {seconds:.0f} seconds", file=sys.stderr)
        time.sleep(seconds)

    def _request(self, query: Query, above: int, *, anew: bool) -> Page:
        parameters: dict[str, Any] = {
            "taxon_name": query.taxon_name,
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
                force_refresh=anew,  # a broken answer may be in the cache
                **parameters,
            )
            if response.status_code != 200:
                raise _RequestError(
                    f"HTTP {response.status_code}",
                    retryable=response.status_code in RETRYABLE_STATUSES,
                    pause=parse_retry_after(response.headers.get("Retry-After")),
                )
            return _page(response.json(), above)
        except BucketFullException as error:
            hours = math.ceil(float(error.meta_info["remaining_time"]) / 3600)
            raise _RequestError(
                f"the {REQUESTS_PER_DAY} requests of a day are used up; there are new ones in "
                f"{hours} hours at the latest",
                retryable=False,
            ) from None
        except AnswerTooLargeError:
            raise _RequestError("the answer is too large") from None
        except requests.Timeout:
            raise _RequestError("timed out") from None
        except (requests.JSONDecodeError, urllib3.exceptions.MaxRetryError, RecursionError):
            raise _RequestError("the answer is not JSON") from None
        except requests.ConnectionError:
            raise _RequestError("no connection") from None
        except (
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
        ):
            raise _RequestError("is no web address", retryable=False) from None
        except requests.RequestException as error:
            raise _RequestError(f"the request failed ({type(error).__name__})") from None


def _page(answer: Any, above: int) -> Page:
    results = answer.get("results") if isinstance(answer, dict) else None
    total = answer.get("total_results") if isinstance(answer, dict) else None
    if (
        not isinstance(results, list)
        or not isinstance(total, int)
        or not all(isinstance(result, dict) for result in results)
    ):
        raise _RequestError("the answer has not the form of a page of observations")
    ids = [result.get("id") for result in results]
    if not _rise(ids, above):
        # Paging by id would go round in circles, or leave some out.
        raise _RequestError("the answer is not in the order that was asked for")
    return Page(results, total if results else 0)


def _rise(ids: Sequence[Any], above: int) -> bool:
    for id in ids:
        if type(id) is not int or id <= above:
            return False
        above = id
    return True
