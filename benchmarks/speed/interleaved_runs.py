"""Ways to do the same work, each in a process of its own, that take turns.

Whatever else the machine is doing hits all of them alike, a setting of one way (of the memory, of
the threads) does not reach another, and each has its own peak of memory.
"""

import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

# Makes the work ready; what it gives does the work once and tells what came out.
Preparation = Callable[[], Callable[[], Any]]


@dataclass
class Timed:
    """What one way took and gave.

    Attributes:
        seconds: of each turn.
        result: of the last turn.
        peak_megabytes: of the process's memory, libraries and all.
    """

    seconds: list[float] = field(default_factory=list)
    result: Any = None
    peak_megabytes: float = 0.0

    def ratio(self, baseline: "Timed") -> float:
        """How many times faster than the baseline: the median over turns."""
        return median(
            slow / fast for slow, fast in zip(baseline.seconds, self.seconds, strict=True)
        )


class _Turns:
    """One way in its process."""

    def __init__(self, preparation: Preparation) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(preparation, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.answer()

    def take(self) -> None:
        self._ours.send("turn")

    def answer(self) -> tuple[float, Any, float]:
        try:
            answer: tuple[float, Any, float] = self._ours.recv()
        except EOFError:
            raise RuntimeError("a process of the benchmark ended; its message is above") from None
        return answer

    def __enter__(self) -> "_Turns":
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.join(10)
        self._process.kill()


def in_turns(ways: dict[str, Preparation], turns: int, *, warm_up: bool = True) -> dict[str, Timed]:
    """Each way `turns` times, round by round, after one more that doesn't count (`warm_up`).

    The functions must be importable, or partials of such: processes are begun anew.
    """
    timed = {name: Timed() for name in ways}
    with ExitStack() as stack:
        running: Sequence[_Turns] = [stack.enter_context(_Turns(way)) for way in ways.values()]
        for turn in range(turns + warm_up):
            for one, process in zip(timed.values(), running, strict=True):
                process.take()
                seconds, one.result, one.peak_megabytes = process.answer()
                if turn or not warm_up:
                    one.seconds.append(seconds)
    return timed


def _serve(preparation: Preparation, pipe: Connection) -> None:
    work = preparation()
    pipe.send((0.0, None, 0.0))
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        start = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        pipe.send((seconds, result, peak))
