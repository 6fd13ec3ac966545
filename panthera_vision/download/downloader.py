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
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from tqdm import tqdm

from panthera_vision.download.download_log import DownloadLog, DownloadRecord
from panthera_vision.download.http import FetchError, FetchSettings, ask, open_session
from panthera_vision.download.local_files import read_local_photo
from panthera_vision.download.rate_limit import HostRateLimiter
from panthera_vision.images.decoding import PhotoError, as_jpeg
from panthera_vision.io.atomic import atomic_write

# Of all hosts together: a table may name thousands.
_MOST_REQUESTS = 64
# A host that answered nothing in so long a time, and to so many photos, is not asked any more.
_PATIENCE_SECONDS, _PATIENCE_PHOTOS = 60.0, 5
GIVEN_UP = "not asked, as the server had stopped answering"
_NO_HOST = "no host"
LOCAL = ""  # the "host" of photos that lie in a folder


@dataclass(frozen=True)
class PhotoRequest:
    """A photo to fetch: its address, and its file relative to the photos' folder."""

    image_url: str
    file: str


@dataclass(frozen=True)
class Outcome:
    """What became of one `PhotoRequest`: `reason` is empty for a photo that is there."""

    wanted: PhotoRequest
    sha256: str = ""
    reason: str = ""


def host_of(image_url: str) -> str:
    """The host that serves an address; `LOCAL` for a file."""
    if "://" not in image_url:
        return LOCAL
    # Without the user's name, which would make many hosts of one.
    try:
        return urlsplit(image_url).netloc.lower().rpartition("@")[2] or _NO_HOST
    except ValueError:  # half an IPv6 address, …: asked all the same, it says so itself
        return _NO_HOST


def fetch_photos(
    wanted: Iterable[PhotoRequest],
    folder: Path,
    settings: FetchSettings,
    journal: DownloadLog,
    on_outcome: Callable[[Outcome], None],
) -> None:
    """Fetch photos into `folder`, each verified as a decodable picture before it gets its name.

    `on_outcome` is called once for each photo, in the order in which they are done. Hosts are
    asked side by side, each at its own pace; transfers in `journal` count for the pace.

    Raises:
        OSError: a photo can't be written (disk full, read-only folder).
    """
    by_host: dict[str, list[PhotoRequest]] = defaultdict(list)
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


class _Host:
    """A server that is asked, and whether it is still worth asking."""

    def __init__(self, pacer: HostRateLimiter) -> None:
        self.pacer = pacer
        self._failures = 0
        self._failing_since = 0.0

    def answered(self) -> None:
        """It said something, be it that there is no such photo."""
        self._failures = 0

    def failed(self) -> None:
        """A photo could not be had after all attempts."""
        if not self._failures:
            self._failing_since = time.monotonic()
        self._failures += 1

    @property
    def is_given_up(self) -> bool:
        return (
            self._failures >= _PATIENCE_PHOTOS
            and time.monotonic() - self._failing_since >= _PATIENCE_SECONDS
        )


class _Fetcher:
    def __init__(
        self,
        folder: Path,
        settings: FetchSettings,
        journal: DownloadLog,
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._journal = journal
        self._on_outcome = on_outcome
        self._under_way = asyncio.Semaphore(_MOST_REQUESTS)

    async def fetch_all(self, by_host: dict[str, list[PhotoRequest]]) -> None:
        pacers = {
            host: HostRateLimiter(self._settings.pace, on_long_wait=partial(_tell_wait, host))
            for host in by_host
            if host != LOCAL
        }
        for fetched in sorted(self._journal.records(), key=lambda fetched: fetched.at):
            if fetched.host in pacers:
                pacers[fetched.host].count(fetched.bytes, fetched.at)
        async with open_session(self._settings) as session, asyncio.TaskGroup() as group:
            for host, photos in by_host.items():
                queue = iter(photos)
                asked = None if host == LOCAL else _Host(pacers[host])
                # While some decode and write, as many others as may ask the host do so.
                for _ in range(min(2 * self._settings.pace.concurrent, len(photos))):
                    group.create_task(self._work(queue, session, asked))

    async def _work(
        self, queue: Iterator[PhotoRequest], session: aiohttp.ClientSession, host: "_Host | None"
    ) -> None:
        for wanted in queue:
            try:
                if host is None:
                    data = await asyncio.to_thread(
                        read_local_photo, wanted.image_url, self._settings
                    )
                    outcome = await self._keep(wanted, data)
                else:
                    outcome = await self._fetch_patiently(wanted, session, host)
            except FetchError as error:
                outcome = Outcome(wanted, reason=error.reason)
            self._on_outcome(outcome)

    async def _fetch_patiently(
        self, wanted: PhotoRequest, session: aiohttp.ClientSession, host: "_Host"
    ) -> Outcome:
        for attempt in range(1, self._settings.attempts + 1):
            if host.is_given_up:
                break
            try:
                async with host.pacer, self._under_way:
                    data = await ask(wanted.image_url, session, self._settings, host.pacer.count)
                host.answered()
                return await self._keep(wanted, data)
            except FetchError as error:
                if not error.retryable:
                    host.answered()
                    raise
                if attempt == self._settings.attempts:
                    host.failed()
                    raise
                if error.pause:
                    host.pacer.pause(error.pause)
                # Full jitter: photos that failed together do not come back together.
                await asyncio.sleep(error.pause or random.uniform(0.5, 1) * 2 ** (attempt - 1))
        raise FetchError(GIVEN_UP, retryable=False)

    async def _keep(self, wanted: PhotoRequest, data: bytes) -> Outcome:
        try:
            jpeg = await asyncio.to_thread(as_jpeg, data)
        except PhotoError as error:
            # A cut file often decodes in part; a page instead of a photo will stay one.
            raise FetchError(error.reason, retryable=error.reason == "broken photo") from None
        await asyncio.to_thread(_write, self._folder / wanted.file, jpeg)
        sha256 = hashlib.sha256(jpeg).hexdigest()
        host = host_of(wanted.image_url)
        self._journal.add(
            DownloadRecord(wanted.file, wanted.image_url, sha256, host, len(data), time.time())
        )
        return Outcome(wanted, sha256)


def _tell_wait(host: str, seconds: float) -> None:
    tqdm.write(
        f"{host}: the limit of bytes an hour or a day is reached; going on in "
        f"{math.ceil(seconds / 60)} minutes. It can be interrupted and run again later",
        file=sys.stderr,
    )


def _write(path: Path, data: bytes) -> None:
    with atomic_write(path) as partial:
        partial.write_bytes(data)
