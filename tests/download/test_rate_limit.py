import asyncio
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.download.rate_limit import DAY, HOUR, HostRateLimiter, RateLimits


class Clock:
    """Time that passes only when somebody sleeps."""

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


def pace(rate: float = 5, concurrent: int = 8, hour: float = 1e12, day: float = 1e12) -> RateLimits:
    return RateLimits(rate, concurrent, hour, day)


def test_no_second_holds_more_starts_than_the_rate(clock: Clock) -> None:
    starts: list[float] = []

    async def ask(pacer: HostRateLimiter) -> None:
        async with pacer:
            starts.append(clock())

    async def main() -> None:
        pacer = HostRateLimiter(pace(rate=5), clock)
        await asyncio.gather(*(ask(pacer) for _ in range(40)))

    asyncio.run(main())
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert min(gaps) >= 0.2 - 1e-6
    assert max(gaps) < 0.21


def test_no_more_at_once_than_allowed() -> None:
    under_way = most = 0

    async def ask(pacer: HostRateLimiter) -> None:
        nonlocal under_way, most
        async with pacer:
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1

    async def main() -> None:
        pacer = HostRateLimiter(pace(rate=1e9, concurrent=3))
        await asyncio.gather(*(ask(pacer) for _ in range(20)))

    asyncio.run(main())
    assert most == 3


def test_a_pause_holds_all_requests_back(clock: Clock) -> None:
    async def main() -> float:
        pacer = HostRateLimiter(pace(), clock)
        pacer.pause(30)
        before = clock()
        async with pacer:
            return clock() - before

    assert asyncio.run(main()) == pytest.approx(30)


def test_bytes_are_bounded_by_hour_and_by_day(clock: Clock) -> None:
    pacer = HostRateLimiter(pace(hour=100, day=150), clock)
    pacer.count(60)
    assert pacer.seconds_until_bytes_allow() == 0
    clock.now += 10
    pacer.count(50)
    assert pacer.seconds_until_bytes_allow() == pytest.approx(HOUR - 10)
    clock.now += HOUR
    assert pacer.seconds_until_bytes_allow() == 0
    pacer.count(45)
    assert pacer.seconds_until_bytes_allow() == pytest.approx(DAY - HOUR - 10)


def test_a_long_wait_is_told_once_and_over_in_time(clock: Clock) -> None:
    told: list[float] = []

    async def ask(pacer: HostRateLimiter) -> None:
        async with pacer:
            pass

    async def main() -> float:
        pacer = HostRateLimiter(pace(hour=100), clock, on_long_wait=told.append)
        pacer.count(100)
        before = clock()
        await asyncio.gather(*(ask(pacer) for _ in range(3)))
        return clock() - before

    waited = asyncio.run(main())
    assert told == [pytest.approx(HOUR)]
    assert HOUR <= waited < HOUR + 200  # the clock of this test advances for each sleeper


def test_transfers_of_an_earlier_run_count(clock: Clock) -> None:
    pacer = HostRateLimiter(pace(hour=100), clock)
    pacer.count(100, at=clock() - 600)
    assert pacer.seconds_until_bytes_allow() == pytest.approx(HOUR - 600)


@given(
    transfers=st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 100)), max_size=60),
    limit=st.integers(1, 500),
)
def test_waiting_as_long_as_is_said_is_just_enough(
    transfers: list[tuple[float, int]], limit: int
) -> None:
    clock = Clock()
    pacer = HostRateLimiter(pace(hour=limit), clock)
    came: list[tuple[float, int]] = []
    for pause, size in transfers:
        clock.now += pause
        came.append((clock.now, size))
        pacer.count(size)

    def bytes_of_the_last_hour(seconds: float) -> int:
        return sum(size for at, size in came if at > clock.now - HOUR - seconds)

    wait = pacer.seconds_until_bytes_allow()
    assert (wait == 0) == (bytes_of_the_last_hour(0) < limit)
    clock.now += wait
    assert bytes_of_the_last_hour(0) < limit
    # Transfers are put together by the second, no coarser.
    assert wait == 0 or bytes_of_the_last_hour(2) >= limit


def test_a_day_of_transfers_is_neither_kept_one_by_one_nor_added_up_anew(clock: Clock) -> None:
    pacer = HostRateLimiter(pace(), clock)
    began = time.perf_counter()
    for _ in range(200_000):
        clock.now += 0.01
        pacer.count(1)
        pacer.seconds_until_bytes_allow()
    assert time.perf_counter() - began < 10
    assert sum(len(window._transfers) for window in pacer._windows) < 5000
