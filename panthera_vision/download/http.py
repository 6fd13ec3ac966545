"""One request for one photo: bounded in time and bytes, and each way that it fails has a name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from panthera_vision.download.rate_limit import RateLimits
from panthera_vision.download.ssrf import SSRFError, open_public_socket
from panthera_vision.io.http_retry import RETRYABLE_STATUSES, parse_retry_after

MAXIMUM_REDIRECTS = 5
PRIVATE = "private address, see download.allow_private_addresses"
_CHUNK = 1 << 16


@dataclass(frozen=True)
class FetchSettings:
    """How to fetch.

    Attributes:
        pace: limits for each host.
        attempts: how often a photo is asked for before it is given up.
        timeout_seconds: for one attempt, from the connection to the last byte.
        maximum_bytes: of one photo.
        user_agent: says who asks, and how to reach them.
        table_folder: local addresses are relative to it.
        local_photos: the folder that local addresses must not leave.
        allow_private_addresses: whether web addresses may lead to this machine and its network.
    """

    pace: RateLimits
    attempts: int
    timeout_seconds: float
    maximum_bytes: int
    user_agent: str
    table_folder: Path
    local_photos: Path
    allow_private_addresses: bool = False


class FetchError(Exception):
    """One attempt failed; where `retryable`, try again after `pause` seconds."""

    def __init__(self, reason: str, *, retryable: bool, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.pause = pause


def open_session(settings: FetchSettings) -> aiohttp.ClientSession:
    """What requests are made with; to be used in an `async with` statement."""
    factory = None if settings.allow_private_addresses else open_public_socket
    return aiohttp.ClientSession(
        headers={"User-Agent": settings.user_agent, "Accept": "image/*"},
        timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds),
        connector=aiohttp.TCPConnector(limit=0, socket_factory=factory),
        # Nobody is recognised, and nobody's cookies fill the memory.
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def ask(
    address: str,
    session: aiohttp.ClientSession,
    settings: FetchSettings,
    on_bytes: Callable[[int], None],
) -> bytes:
    """What `address` answers; `on_bytes` is told how much came, whatever became of it.

    Raises:
        FetchError: it was no photo's worth of bytes in time.
    """
    received = bytearray()
    try:
        async with session.get(address, max_redirects=MAXIMUM_REDIRECTS) as response:
            if response.status != 200:
                raise FetchError(
                    f"HTTP {response.status}",
                    retryable=response.status in RETRYABLE_STATUSES,
                    pause=parse_retry_after(response.headers.get("Retry-After")),
                )
            if (response.content_length or 0) > settings.maximum_bytes:
                raise FetchError("file too large", retryable=False)
            async for chunk in response.content.iter_chunked(_CHUNK):
                received += chunk
                if len(received) > settings.maximum_bytes:
                    raise FetchError("file too large", retryable=False)
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        raise _named(error) from None
    finally:
        on_bytes(len(received))
    return bytes(received)


def _named(error: Exception) -> FetchError:
    """What went wrong, in a phrase fit for counting."""
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
            return FetchError(PRIVATE, retryable=False)
        case aiohttp.ClientResponseError():
            return FetchError("the answer is not HTTP", retryable=True)
        case _:
            return FetchError("no connection", retryable=True)
