"""Photo files decoded a little ahead of their use, by threads, in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import TypeVar

import torch

Result = TypeVar("Result")


def prefetch(
    jobs: Iterable[Callable[[], Result]], *, ahead: int, threads: int
) -> Generator[Result, None, None]:
    """What the jobs give, in order; at most `ahead` of them are begun or held ready.

    Threads serve, as decoding and resizing happen outside Python's lock. A job's exception is
    raised when its turn comes.
    """
    jobs = iter(jobs)
    begun: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            begun.extend(pool.submit(job) for job in islice(jobs, ahead))
            while begun:
                result = begun.popleft().result()
                begun.extend(pool.submit(job) for job in islice(jobs, 1))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)


def batched(items: Iterable[Result], batch_size: int) -> Iterator[list[Result]]:
    """The items in lists of `batch_size`; the last may be shorter."""
    items = iter(items)
    while batch := list(islice(items, batch_size)):
        yield batch


def prefetch_batches(
    jobs: Iterable[Callable[[], torch.Tensor]], *, batch_size: int, threads: int
) -> Iterator[torch.Tensor]:
    """What the jobs give, stacked in batches (≤ batch_size, …), in order; see `prefetch`."""
    with closing(prefetch(jobs, ahead=2 * batch_size, threads=threads)) as results:
        for batch in batched(results, batch_size):
            yield torch.stack(batch)
