"""Download photos concurrently: per-host rate limits, exponential backoff, circuit breaker."""

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
from panthera_vision.download.http import FetchError, FetchSettings, fetch_once, open_session
from panthera_vision.download.local_files import read_local_photo
from panthera_vision.download.rate_limit import HostRateLimiter
from panthera_vision.images.decoding import PhotoError, as_jpeg
from panthera_vision.io.atomic import atomic_write
from panthera_vision.io.urls import is_local

MAX_CONCURRENT_REQUESTS = 64  # of all hosts together: a table may name thousands
# The circuit of a host opens after so many failed photos in a row, over so long a time.
BREAKER_FAILURES, BREAKER_SECONDS = 5, 60.0
CIRCUIT_OPEN = "not asked, as the server had stopped answering"
LOCAL = ""  # the "host" of local files
_NO_HOST = "no host"


@dataclass(frozen=True)
class PhotoRequest:
    """Name a photo to download: its address, and its file relative to the photos' folder."""

    image_url: str
    file: str


@dataclass(frozen=True)
class Outcome:
    """Hold the result of a `PhotoRequest`: the file's SHA-256, or the reason of the failure."""

    request: PhotoRequest
    sha256: str = ""
    reason: str = ""


def host_of(image_url: str) -> str:
    """Return the host and port of a URL, or `LOCAL` for a file path."""
    if is_local(image_url):
        return LOCAL
    try:  # without the user name, which would split one host into many
        return urlsplit(image_url).netloc.lower().rpartition("@")[2] or _NO_HOST
    except ValueError:  # half an IPv6 address, for instance: the request fails with a reason
        return _NO_HOST


def download_photos(
    requests: Iterable[PhotoRequest],
    folder: Path,
    settings: FetchSettings,
    log: DownloadLog,
    on_outcome: Callable[[Outcome], None],
) -> None:
    """Download photos into `folder`; each is decoded as a check before it gets its name.

    Hosts are served side by side, each within its own rate limits; earlier transfers in `log`
    count towards them. `on_outcome` is called once for each photo, in order of completion.

    Raises:
        OSError: a photo can't be written (disk full, read-only folder).
    """
    by_host: dict[str, list[PhotoRequest]] = defaultdict(list)
    for request in requests:
        by_host[host_of(request.image_url)].append(request)
    run = partial(asyncio.run, _Downloader(folder, settings, log, on_outcome).run(by_host))
    try:
        if _is_inside_event_loop():  # as in a notebook
            with ThreadPoolExecutor(1) as thread:
                thread.submit(run).result()
        else:
            run()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def _is_inside_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@dataclass
class _Host:
    """Combine a host's rate limiter with a circuit breaker."""

    limiter: HostRateLimiter
    _failures: int = 0
    _failing_since: float = 0.0

    def record_success(self) -> None:
        """Close the circuit: the host answered, if only with a 404."""
        self._failures = 0

    def record_failure(self) -> None:
        """Count a photo that failed in all attempts."""
        if not self._failures:
            self._failing_since = time.monotonic()
        self._failures += 1

    @property
    def is_circuit_open(self) -> bool:
        return (
            self._failures >= BREAKER_FAILURES
            and time.monotonic() - self._failing_since >= BREAKER_SECONDS
        )


@dataclass
class _Downloader:
    folder: Path
    settings: FetchSettings
    log: DownloadLog
    on_outcome: Callable[[Outcome], None]

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

    async def run(self, by_host: dict[str, list[PhotoRequest]]) -> None:
        limits = self.settings.limits
        limiters = {
            host: HostRateLimiter(limits, on_long_wait=partial(_report_wait, host))
            for host in by_host
            if host != LOCAL
        }
        for record in sorted(self.log.records(), key=lambda record: record.at):
            if record.host in limiters:
                limiters[record.host].count_bytes(record.bytes, record.at)
        async with open_session(self.settings) as session, asyncio.TaskGroup() as group:
            for host_name, requests in by_host.items():
                queue = iter(requests)
                host = None if host_name == LOCAL else _Host(limiters[host_name])
                # Twice as many workers as connections: half may decode and write meanwhile.
                for _ in range(min(2 * limits.concurrent, len(requests))):
                    group.create_task(self._work(queue, session, host))

    async def _work(
        self,
        queue: Iterator[PhotoRequest],
        session: aiohttp.ClientSession,
        host: _Host | None,
    ) -> None:
        for request in queue:
            try:
                if host:
                    outcome = await self._fetch_with_retries(request, session, host)
                else:
                    data = await asyncio.to_thread(
                        read_local_photo, request.image_url, self.settings
                    )
                    outcome = await self._save(request, data)
            except FetchError as error:
                outcome = Outcome(request, reason=error.reason)
            self.on_outcome(outcome)

    async def _fetch_with_retries(
        self, request: PhotoRequest, session: aiohttp.ClientSession, host: _Host
    ) -> Outcome:
        for attempt in range(1, self.settings.attempts + 1):
            if host.is_circuit_open:
                break
            try:
                async with host.limiter, self._slots:
                    data = await fetch_once(
                        request.image_url, session, self.settings, host.limiter.count_bytes
                    )
                host.record_success()
                return await self._save(request, data)
            except FetchError as error:
                if not error.retryable:
                    host.record_success()
                    raise
                if attempt == self.settings.attempts:
                    host.record_failure()
                    raise
                if error.retry_after_s:
                    host.limiter.pause(error.retry_after_s)
                # Exponential backoff with jitter: photos that failed together retry apart.
                backoff_s = random.uniform(0.5, 1) * 2 ** (attempt - 1)
                await asyncio.sleep(error.retry_after_s or backoff_s)
        raise FetchError(CIRCUIT_OPEN, retryable=False)

    async def _save(self, request: PhotoRequest, data: bytes) -> Outcome:
        try:
            jpeg = await asyncio.to_thread(as_jpeg, data)
        except PhotoError as error:
            # A truncated file often decodes in part; an HTML page stays an HTML page.
            raise FetchError(error.reason, retryable=error.reason == "broken photo") from None
        await asyncio.to_thread(_write, self.folder / request.file, jpeg)
        sha256 = hashlib.sha256(jpeg).hexdigest()
        host = host_of(request.image_url)
        self.log.add(
            DownloadRecord(request.file, request.image_url, sha256, host, len(data), time.time())
        )
        return Outcome(request, sha256)


def _report_wait(host: str, seconds: float) -> None:
    tqdm.write(
        f"{host}: the limit on bytes per hour or day is reached; the download continues in "
        f"{math.ceil(seconds / 60)} minutes. You can interrupt it and run it again later",
        file=sys.stderr,
    )


def _write(path: Path, data: bytes) -> None:
    with atomic_write(path) as partial_file:
        partial_file.write_bytes(data)
