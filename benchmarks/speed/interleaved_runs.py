"""Time variants of the same work in interleaved rounds, each variant in its own process.

Interleaving spreads the load of other programs evenly. Separate processes keep the settings of one
variant (malloc, threads) from the others, and measure peak memory per variant.
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

# Does the setup; returns a function that does the work once and returns its result.
Preparation = Callable[[], Callable[[], Any]]


@dataclass
class Timed:
    """Hold the measurements of one variant.

    Attributes:
        seconds: per round.
        result: of the last round.
        peak_megabytes: peak memory of the process, libraries included.
    """

    seconds: list[float] = field(default_factory=list)
    result: Any = None
    peak_megabytes: float = 0.0

    def ratio(self, baseline: "Timed") -> float:
        """Return the speedup over the baseline, the median over rounds."""
        return median(
            slow / fast for slow, fast in zip(baseline.seconds, self.seconds, strict=True)
        )


class _Worker:
    """Run one variant in its process."""

    def __init__(self, preparation: Preparation) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(preparation, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.receive()

    def start_round(self) -> None:
        self._ours.send("turn")

    def receive(self) -> tuple[float, Any, float]:
        try:
            answer: tuple[float, Any, float] = self._ours.recv()
        except EOFError:
            raise RuntimeError("a benchmark process failed; its message is above") from None
        return answer

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.join(10)
        self._process.kill()


def in_turns(ways: dict[str, Preparation], turns: int, *, warm_up: bool = True) -> dict[str, Timed]:
    """Run each variant `turns` times, interleaved, after an uncounted round (`warm_up`).

    The functions must be importable, or partials of importable ones: processes are spawned.
    """
    timed = {name: Timed() for name in ways}
    with ExitStack() as stack:
        running: Sequence[_Worker] = [stack.enter_context(_Worker(way)) for way in ways.values()]
        for turn in range(turns + warm_up):
            for one, process in zip(timed.values(), running, strict=True):
                process.start_round()
                seconds, one.result, one.peak_megabytes = process.receive()
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
