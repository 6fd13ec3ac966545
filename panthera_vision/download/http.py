"""Fetch one photo over HTTP, bounded in time and bytes, with a named reason for each failure."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.download.ssrf import SSRFError, open_public_socket
from panthera_vision.io.http_retry import RETRYABLE_STATUSES, parse_retry_after

MAX_REDIRECTS = 5
PRIVATE_ADDRESS = "private address, see download.allow_private_addresses"
_CHUNK = 1 << 16


@dataclass(frozen=True)
class FetchSettings:
    """Hold the settings of a download.

    Attributes:
        limits: rate limits for each host.
        attempts: for each photo.
        timeout_seconds: for one attempt, from the connection to the last byte.
        maximum_bytes: of one photo.
        user_agent: names the program and a contact.
        table_folder: local addresses are relative to it.
        local_photos: the folders that local addresses must not leave.
        allow_private_addresses: whether to switch the SSRF guard off.
    """

    limits: RateLimits
    attempts: int
    timeout_seconds: float
    maximum_bytes: int
    user_agent: str
    table_folder: Path
    local_photos: tuple[Path, ...]
    allow_private_addresses: bool = False


class FetchError(Exception):
    """Report a failed attempt: whether to retry it, and after how long (0: use a backoff)."""

    def __init__(self, reason: str, *, retryable: bool, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.retry_after_s = retry_after_s


def open_session(settings: FetchSettings) -> aiohttp.ClientSession:
    """Open an HTTP session behind the SSRF guard; use it in an `async with` statement."""
    factory = None if settings.allow_private_addresses else open_public_socket
    return aiohttp.ClientSession(
        headers={"User-Agent": settings.user_agent, "Accept": "image/*"},
        timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds),
        connector=aiohttp.TCPConnector(limit=0, socket_factory=factory),
        cookie_jar=aiohttp.DummyCookieJar(),  # cookies would track us and fill the memory
    )


async def fetch_once(
    url: str,
    session: aiohttp.ClientSession,
    settings: FetchSettings,
    on_bytes: Callable[[int], None],
) -> bytes:
    """Return the body of one GET request; pass the bytes received to `on_bytes`, also on failure.

    Raises:
        FetchError: no response with status 200, or not within the limits of time and bytes.
    """
    received = bytearray()
    try:
        async with session.get(url, max_redirects=MAX_REDIRECTS) as response:
            if response.status != 200:
                raise FetchError(
                    f"HTTP {response.status}",
                    retryable=response.status in RETRYABLE_STATUSES,
                    retry_after_s=parse_retry_after(response.headers.get("Retry-After")),
                )
            if (response.content_length or 0) > settings.maximum_bytes:
                raise FetchError("file too large", retryable=False)
            async for chunk in response.content.iter_chunked(_CHUNK):
                received += chunk
                if len(received) > settings.maximum_bytes:
                    raise FetchError("file too large", retryable=False)
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        raise _to_fetch_error(error) from None
    finally:
        on_bytes(len(received))
    return bytes(received)


def _to_fetch_error(error: Exception) -> FetchError:
    match error:
        case TimeoutError():
            return FetchError("timed out", retryable=True)
        case aiohttp.TooManyRedirects():
            return FetchError("redirected in a circle", retryable=False)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return FetchError("address not valid", retryable=False)
        case aiohttp.ClientPayloadError():
            return FetchError("transfer cut off", retryable=True)
        case aiohttp.ClientConnectorDNSError():
            return FetchError("host name not found", retryable=True)
        case aiohttp.ClientConnectorError(os_error=SSRFError()):
            return FetchError(PRIVATE_ADDRESS, retryable=False)
        case aiohttp.ClientResponseError():
            return FetchError("the answer is not HTTP", retryable=True)
        case _:
            return FetchError("no connection", retryable=True)
