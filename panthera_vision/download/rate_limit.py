"""How fast a host may be asked: requests spaced in time, bytes bounded by the hour and the day."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

HOUR = 3600.0
DAY = 86400.0


@dataclass(frozen=True)
class RateLimits:
    """Limits for one host."""

    requests_per_second: float
    concurrent: int
    bytes_per_hour: float
    bytes_per_day: float


class _SlidingWindow:
    """Bytes of the last hour or day; looked at before every request, so it adds nothing up anew."""

    def __init__(self, seconds: float, limit: float) -> None:
        self._seconds = seconds
        self._limit = limit
        # [begin, end, bytes] of at most a second each: a day of them has a bounded size.
        self._transfers: deque[list[float]] = deque()
        self._total = 0.0

    def add(self, size: int, at: float) -> None:
        if self._transfers and at - self._transfers[-1][0] < 1:
            self._transfers[-1][1] = max(at, self._transfers[-1][1])
            self._transfers[-1][2] += size
        else:
            self._transfers.append([at, at, size])
        self._total += size

    def seconds_until_allowed(self, now: float) -> float:
        """How long until fewer bytes than the limit lie in the window."""
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
    """Lets requests to one host start no faster than a `RateLimits` allows.

    Starts are spaced evenly, so that no window of a second holds more than the rate, and a host
    that asks for patience (Retry-After) gets it from all requests at once.
    """

    def __init__(
        self,
        pace: RateLimits,
        clock: Callable[[], float] = time.time,
        on_long_wait: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._pace = pace
        self._clock = clock
        self._on_long_wait = on_long_wait
        self._told_until = 0.0
        self._next_start = 0.0
        self._windows = (
            _SlidingWindow(HOUR, pace.bytes_per_hour),
            _SlidingWindow(DAY, pace.bytes_per_day),
        )
        self._places = asyncio.Semaphore(pace.concurrent)

    async def __aenter__(self) -> None:
        await self._places.acquire()
        try:
            await self._wait_for_turn()
        except BaseException:
            self._places.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._places.release()

    def count(self, size: int, at: float | None = None) -> None:
        """Note that `size` bytes came from the host (at clock time `at`, in seconds)."""
        for window in self._windows:
            window.add(size, self._clock() if at is None else at)

    def pause(self, seconds: float) -> None:
        """Start no request in the next `seconds`."""
        self._next_start = max(self._next_start, self._clock() + seconds)

    def seconds_until_bytes_allow(self) -> float:
        """How long the limits on bytes forbid a further request; 0 when they don't."""
        now = self._clock()
        return max(window.seconds_until_allowed(now) for window in self._windows)

    async def _wait_for_turn(self) -> None:
        while (wait := self.seconds_until_bytes_allow()) > 0:
            if self._clock() >= self._told_until:  # once for all requests that wait
                self._told_until = self._clock() + wait
                self._on_long_wait(wait)
            await asyncio.sleep(min(wait, 60))
        while (wait := self._next_start - self._clock()) > 0:
            await asyncio.sleep(wait)
        # No await between the check and this line: the turn is this request's alone.
        self._next_start = self._clock() + 1 / self._pace.requests_per_second
