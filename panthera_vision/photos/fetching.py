"""Photos by their addresses, from the web or a folder: gentle, patient, and accounted for."""

import asyncio
import hashlib
import math
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from tqdm import tqdm

from panthera_vision.files import write_whole
from panthera_vision.photos.addresses import PrivateAddressError, public_socket
from panthera_vision.photos.decoding import PhotoError, as_jpeg
from panthera_vision.photos.journal import DownloadJournal, Fetched
from panthera_vision.photos.pacing import HostPacer, Pace

PASSING_STATUSES = {408, 425, 429, 500, 502, 503, 504}
LONGEST_PAUSE = 900.0
MAXIMUM_REDIRECTS = 5
PRIVATE = "private address, see download.allow_private_addresses"
LOCAL = ""  # the "host" of photos that lie in a folder


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

    pace: Pace
    attempts: int
    timeout_seconds: float
    maximum_bytes: int
    user_agent: str
    table_folder: Path
    local_photos: Path
    allow_private_addresses: bool = False


@dataclass(frozen=True)
class Wanted:
    """A photo to fetch: its address, and its file relative to the photos' folder."""

    image_url: str
    file: str


@dataclass(frozen=True)
class Outcome:
    """What became of one `Wanted`: `reason` is empty for a photo that is there."""

    wanted: Wanted
    sha256: str = ""
    reason: str = ""


class FetchError(Exception):
    """One attempt failed. `passing`: another may succeed, `pause` seconds later at the earliest."""

    def __init__(self, reason: str, *, passing: bool, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing
        self.pause = pause


def host_of(image_url: str) -> str:
    """The host that serves an address; `LOCAL` for a file."""
    return urlsplit(image_url).netloc.lower() if "://" in image_url else LOCAL


def fetch_photos(
    wanted: Iterable[Wanted],
    folder: Path,
    settings: FetchSettings,
    journal: DownloadJournal,
    on_outcome: Callable[[Outcome], None],
) -> None:
    """Fetch photos into `folder`, each verified as a decodable picture before it gets its name.

    `on_outcome` is called once for each photo, in the order in which they are done. Hosts are
    asked side by side, each at its own pace; transfers in `journal` count for the pace.

    Raises:
        OSError: a photo can't be written (disk full, read-only folder).
    """
    by_host: dict[str, list[Wanted]] = defaultdict(list)
    for photo in wanted:
        by_host[host_of(photo.image_url)].append(photo)
    fetching = _Fetcher(folder, settings, journal, on_outcome).fetch_all(by_host)
    try:
        if _is_inside_event_loop():  # as in a notebook
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, fetching).result()
        else:
            asyncio.run(fetching)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def _is_inside_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Fetcher:
    def __init__(
        self,
        folder: Path,
        settings: FetchSettings,
        journal: DownloadJournal,
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._journal = journal
        self._on_outcome = on_outcome

    async def fetch_all(self, by_host: dict[str, list[Wanted]]) -> None:
        pacers = {
            host: HostPacer(self._settings.pace, on_long_wait=partial(_tell_wait, host))
            for host in by_host
            if host != LOCAL
        }
        for fetched in sorted(self._journal, key=lambda fetched: fetched.at):
            if fetched.host in pacers:
                pacers[fetched.host].count(fetched.bytes, fetched.at)
        async with (
            aiohttp.ClientSession(
                headers={"User-Agent": self._settings.user_agent, "Accept": "image/*"},
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout_seconds),
                connector=aiohttp.TCPConnector(
                    limit=0,
                    socket_factory=(
                        None if self._settings.allow_private_addresses else public_socket
                    ),
                ),
                # Nobody is recognised, and nobody's cookies fill the memory.
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            for host, photos in by_host.items():
                queue = iter(photos)
                for _ in range(min(self._settings.pace.concurrent, len(photos))):
                    group.create_task(self._work(queue, session, pacers.get(host)))

    async def _work(
        self, queue: Iterator[Wanted], session: aiohttp.ClientSession, pacer: HostPacer | None
    ) -> None:
        for wanted in queue:
            try:
                if pacer is None:
                    data = await asyncio.to_thread(read_local, wanted.image_url, self._settings)
                    outcome = await self._keep(wanted, data)
                else:
                    outcome = await self._fetch_patiently(wanted, session, pacer)
            except FetchError as error:
                outcome = Outcome(wanted, reason=error.reason)
            self._on_outcome(outcome)

    async def _fetch_patiently(
        self, wanted: Wanted, session: aiohttp.ClientSession, pacer: HostPacer
    ) -> Outcome:
        for attempt in range(1, self._settings.attempts + 1):
            try:
                async with pacer:
                    data = await self._request(wanted.image_url, session, pacer)
                return await self._keep(wanted, data)
            except FetchError as error:
                if not error.passing or attempt == self._settings.attempts:
                    raise
                if error.pause:
                    pacer.pause(error.pause)
                # Full jitter: photos that failed together do not come back together.
                await asyncio.sleep(error.pause or random.uniform(0.5, 1) * 2 ** (attempt - 1))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _request(
        self, address: str, session: aiohttp.ClientSession, pacer: HostPacer
    ) -> bytes:
        received = bytearray()
        try:
            async with session.get(address, max_redirects=MAXIMUM_REDIRECTS) as response:
                if response.status != 200:
                    raise FetchError(
                        f"HTTP {response.status}",
                        passing=response.status in PASSING_STATUSES,
                        pause=retry_after(response.headers.get("Retry-After")),
                    )
                async for chunk in response.content.iter_chunked(1 << 16):
                    received += chunk
                    if len(received) > self._settings.maximum_bytes:
                        raise FetchError("file too large", passing=False)
        except TimeoutError:
            raise FetchError("timed out", passing=True) from None
        except aiohttp.TooManyRedirects:
            raise FetchError("redirected in a circle", passing=False) from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise FetchError("address not valid", passing=False) from None
        except aiohttp.ClientPayloadError:
            raise FetchError("transfer cut off", passing=True) from None
        except aiohttp.ClientConnectorDNSError:
            raise FetchError("host name not found", passing=True) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PrivateAddressError):
                raise FetchError(PRIVATE, passing=False) from None
            raise FetchError("no connection", passing=True) from None
        except (aiohttp.ClientError, ConnectionError):
            raise FetchError("no connection", passing=True) from None
        finally:
            pacer.count(len(received))
        return bytes(received)

    async def _keep(self, wanted: Wanted, data: bytes) -> Outcome:
        try:
            jpeg = await asyncio.to_thread(as_jpeg, data)
        except PhotoError as error:
            # A cut file often decodes in part; a page instead of a photo will stay one.
            raise FetchError(error.reason, passing=error.reason == "broken photo") from None
        await asyncio.to_thread(_write, self._folder / wanted.file, jpeg)
        sha256 = hashlib.sha256(jpeg).hexdigest()
        host = host_of(wanted.image_url)
        self._journal.append(
            Fetched(wanted.file, wanted.image_url, sha256, host, len(data), time.time())
        )
        return Outcome(wanted, sha256)


def _tell_wait(host: str, seconds: float) -> None:
    tqdm.write(
        f"{host}: the limit of bytes an hour or a day is reached; going on in "
        f"{math.ceil(seconds / 60)} minutes. It can be interrupted and run again later",
        file=sys.stderr,
    )


def read_local(image_url: str, settings: FetchSettings) -> bytes:
    """The bytes of a photo in a folder.

    Raises:
        FetchError: outside the allowed folder (symbolic links followed), missing or too large.
    """
    try:
        path = (settings.table_folder / image_url).resolve()
        if not path.is_relative_to(settings.local_photos.resolve()):
            raise FetchError("file outside the photos' folder", passing=False)
        if path.stat().st_size > settings.maximum_bytes:
            raise FetchError("file too large", passing=False)
        return path.read_bytes()
    except FileNotFoundError:
        raise FetchError("file missing", passing=False) from None
    except (OSError, ValueError):
        raise FetchError("file unreadable", passing=False) from None


def _write(path: Path, data: bytes) -> None:
    with write_whole(path) as partial:
        partial.write_bytes(data)


def retry_after(value: str | None) -> float:
    """Seconds that a Retry-After header asks for, bounded by `LONGEST_PAUSE`; 0 without one."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        seconds = (until - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE)
