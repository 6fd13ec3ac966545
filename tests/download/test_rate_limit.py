"""The rate limiter: requests per second, concurrency, Retry-After, bytes per hour and day."""

import asyncio
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.download.rate_limit import DAY, HOUR, HostRateLimiter, RateLimits


class Clock:
    """A clock that advances only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


def limits(
    rate: float = 5, concurrent: int = 8, hour: float = 1e12, day: float = 1e12
) -> RateLimits:
    return RateLimits(rate, concurrent, hour, day)


def test_requests_are_spaced_evenly_at_the_rate(clock: Clock) -> None:
    starts: list[float] = []

    async def request(limiter: HostRateLimiter) -> None:
        async with limiter:
            starts.append(clock())

    async def main() -> None:
        limiter = HostRateLimiter(limits(rate=5), clock)
        await asyncio.gather(*(request(limiter) for _ in range(40)))

    asyncio.run(main())
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert min(gaps) >= 0.2 - 1e-6
    assert max(gaps) < 0.21


def test_concurrent_requests_are_limited() -> None:
    active = most = 0

    async def request(limiter: HostRateLimiter) -> None:
        nonlocal active, most
        async with limiter:
            active += 1
            most = max(most, active)
            await asyncio.sleep(0.01)
            active -= 1

    async def main() -> None:
        limiter = HostRateLimiter(limits(rate=1e9, concurrent=3))
        await asyncio.gather(*(request(limiter) for _ in range(20)))

    asyncio.run(main())
    assert most == 3


def test_a_pause_delays_all_requests(clock: Clock) -> None:
    async def main() -> float:
        limiter = HostRateLimiter(limits(), clock)
        limiter.pause(30)
        before = clock()
        async with limiter:
            return clock() - before

    assert asyncio.run(main()) == pytest.approx(30)


def test_bytes_are_limited_per_hour_and_per_day(clock: Clock) -> None:
    limiter = HostRateLimiter(limits(hour=100, day=150), clock)
    limiter.count_bytes(60)
    assert limiter.seconds_to_wait() == 0
    clock.now += 10
    limiter.count_bytes(50)
    assert limiter.seconds_to_wait() == pytest.approx(HOUR - 10)
    clock.now += HOUR
    assert limiter.seconds_to_wait() == 0
    limiter.count_bytes(45)
    assert limiter.seconds_to_wait() == pytest.approx(DAY - HOUR - 10)


def test_a_long_wait_is_reported_once_and_ends_in_time(clock: Clock) -> None:
    reported: list[float] = []

    async def request(limiter: HostRateLimiter) -> None:
        async with limiter:
            pass

    async def main() -> float:
        limiter = HostRateLimiter(limits(hour=100), clock, on_long_wait=reported.append)
        limiter.count_bytes(100)
        before = clock()
        await asyncio.gather(*(request(limiter) for _ in range(3)))
        return clock() - before

    waited = asyncio.run(main())
    assert reported == [pytest.approx(HOUR)]
    assert HOUR <= waited < HOUR + 200  # the clock of this test advances for each sleeper


def test_transfers_of_an_earlier_run_count_towards_the_limit(clock: Clock) -> None:
    limiter = HostRateLimiter(limits(hour=100), clock)
    limiter.count_bytes(100, at=clock() - 600)
    assert limiter.seconds_to_wait() == pytest.approx(HOUR - 600)


@given(
    transfers=st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 100)), max_size=60),
    limit=st.integers(1, 500),
)
def test_the_wait_is_no_longer_than_the_sliding_window_requires(
    transfers: list[tuple[float, int]], limit: int
) -> None:
    clock = Clock()
    limiter = HostRateLimiter(limits(hour=limit), clock)
    came: list[tuple[float, int]] = []
    for pause, size in transfers:
        clock.now += pause
        came.append((clock.now, size))
        limiter.count_bytes(size)

    def bytes_of_the_last_hour(seconds: float) -> int:
        return sum(size for at, size in came if at > clock.now - HOUR - seconds)

    wait = limiter.seconds_to_wait()
    assert (wait == 0) == (bytes_of_the_last_hour(0) < limit)
    clock.now += wait
    assert bytes_of_the_last_hour(0) < limit
    # Transfers are grouped by the second, no coarser.
    assert wait == 0 or bytes_of_the_last_hour(2) >= limit


def test_many_transfers_cost_little_time_and_memory(clock: Clock) -> None:
    limiter = HostRateLimiter(limits(), clock)
    began = time.perf_counter()
    for _ in range(200_000):
        clock.now += 0.01
        limiter.count_bytes(1)
        limiter.seconds_to_wait()
    assert time.perf_counter() - began < 10
    assert sum(len(window._transfers) for window in limiter._windows) < 5000
