"""Prefetch: threads decode photos ahead of their use, in order and in bounded memory."""

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
    """Yield the results of the jobs in order, with at most `ahead` of them started or waiting.

    Threads suffice, because decoding and resizing release the GIL. A job's exception is raised
    when its turn comes.
    """
    jobs = iter(jobs)
    started: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            started.extend(pool.submit(job) for job in islice(jobs, ahead))
            while started:
                result = started.popleft().result()
                started.extend(pool.submit(job) for job in islice(jobs, 1))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)


def batched(items: Iterable[Result], batch_size: int) -> Iterator[list[Result]]:
    """Yield the items in lists of `batch_size`; the last may be shorter."""
    items = iter(items)
    while batch := list(islice(items, batch_size)):
        yield batch


def prefetch_batches(
    jobs: Iterable[Callable[[], torch.Tensor]], *, batch_size: int, threads: int
) -> Iterator[torch.Tensor]:
    """Yield the results of the jobs stacked in batches (≤ batch_size, …); see `prefetch`."""
    with closing(prefetch(jobs, ahead=2 * batch_size, threads=threads)) as results:
        for batch in batched(results, batch_size):
            yield torch.stack(batch)
