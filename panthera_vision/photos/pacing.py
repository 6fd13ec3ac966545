"""How fast a host may be asked: requests spaced in time, bytes bounded by the hour and the day."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

HOUR = 3600.0
DAY = 86400.0


@dataclass(frozen=True)
class Pace:
    """Limits for one host."""

    requests_per_second: float
    concurrent: int
    bytes_per_hour: float
    bytes_per_day: float


class HostPacer:
    """Lets requests to one host start no faster than a `Pace` allows.

    Starts are spaced evenly, so that no window of a second holds more than the rate, and a host
    that asks for patience (Retry-After) gets it from all requests at once.
    """

    def __init__(
        self,
        pace: Pace,
        clock: Callable[[], float] = time.time,
        on_long_wait: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._pace = pace
        self._clock = clock
        self._on_long_wait = on_long_wait
        self._told_until = 0.0
        self._next_start = 0.0
        self._transfers: deque[tuple[float, int]] = deque()
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
        self._transfers.append((self._clock() if at is None else at, size))

    def pause(self, seconds: float) -> None:
        """Start no request in the next `seconds`."""
        self._next_start = max(self._next_start, self._clock() + seconds)

    def seconds_until_bytes_allow(self) -> float:
        """How long the limits on bytes forbid a further request; 0 when they don't."""
        now = self._clock()
        while self._transfers and self._transfers[0][0] <= now - DAY:
            self._transfers.popleft()
        wait = 0.0
        for window, limit in ((HOUR, self._pace.bytes_per_hour), (DAY, self._pace.bytes_per_day)):
            total = 0
            for at, size in reversed(self._transfers):
                if at <= now - window:
                    break
                total += size
                if total >= limit:  # free again when this transfer leaves the window
                    wait = max(wait, at + window - now)
                    break
        return wait

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
