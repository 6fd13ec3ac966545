"""Per-host rate limiter: evenly spaced requests, and sliding windows for bytes per hour and day."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

HOUR = 3600.0
DAY = 86400.0


@dataclass(frozen=True)
class RateLimits:
    """Hold the limits for one host."""

    requests_per_second: float
    concurrent: int
    bytes_per_hour: float
    bytes_per_day: float


class _SlidingWindow:
    """Count the bytes of the last hour or day."""

    def __init__(self, seconds: float, limit: float) -> None:
        self._seconds = seconds
        self._limit = limit
        # [begin, end, bytes] of at most a second each, which bounds the memory.
        self._transfers: deque[list[float]] = deque()
        self._total = 0.0  # kept up to date, as it is read before every request

    def add(self, size: int, at: float) -> None:
        if self._transfers and at - self._transfers[-1][0] < 1:
            self._transfers[-1][1] = max(at, self._transfers[-1][1])
            self._transfers[-1][2] += size
        else:
            self._transfers.append([at, at, size])
        self._total += size

    def seconds_to_wait(self, now: float) -> float:
        """Return the seconds until fewer bytes than the limit lie in the window."""
        while self._transfers and self._transfers[0][1] <= now - self._seconds:
            self._total -= self._transfers.popleft()[2]
        total = self._total
        for _, end, size in self._transfers:
            if total < self._limit:
                break
            total -= size
            if total < self._limit:
                return end + self._seconds - now
        return 0.0


class HostRateLimiter:
    """Delay requests to one host to keep within `RateLimits`; an async context manager.

    Requests start at even intervals, so that no window of a second holds more than the rate. A
    pause (Retry-After) holds all requests to the host back.
    """

    def __init__(
        self,
        limits: RateLimits,
        clock: Callable[[], float] = time.time,
        on_long_wait: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._clock = clock
        self._on_long_wait = on_long_wait
        self._interval = 1 / limits.requests_per_second
        self._next_start = 0.0
        self._reported_until = 0.0
        self._windows = (
            _SlidingWindow(HOUR, limits.bytes_per_hour),
            _SlidingWindow(DAY, limits.bytes_per_day),
        )
        self._slots = asyncio.Semaphore(limits.concurrent)

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            await self._wait()
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()

    def count_bytes(self, size: int, at: float | None = None) -> None:
        """Count `size` bytes received from the host (at clock time `at`, in seconds)."""
        for window in self._windows:
            window.add(size, self._clock() if at is None else at)

    def pause(self, seconds: float) -> None:
        """Start no request in the next `seconds`."""
        self._next_start = max(self._next_start, self._clock() + seconds)

    def seconds_to_wait(self) -> float:
        """Return how long the limits on bytes forbid another request; 0 when they don't."""
        now = self._clock()
        return max(window.seconds_to_wait(now) for window in self._windows)

    async def _wait(self) -> None:
        while (wait := self.seconds_to_wait()) > 0:
            if self._clock() >= self._reported_until:  # once for all waiting requests
                self._reported_until = self._clock() + wait
                self._on_long_wait(wait)
            await asyncio.sleep(min(wait, 60))
        while (wait := self._next_start - self._clock()) > 0:
            await asyncio.sleep(wait)
        # No await between the check and this line, so no other request takes the same slot.
        self._next_start = self._clock() + self._interval
