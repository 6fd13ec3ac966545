"""Admission control: limit the requests in progress and the workers, reject the rest."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TypeVar

from anyio import to_thread

from panthera_vision.serving.errors import RequestError

Result = TypeVar("Result")
RETRY_SECONDS = 2


class AdmissionController:
    """Admit a bounded number of requests and refuse others at once with 503 and Retry-After.

    An admitted request may hold an upload in memory, so it is admitted before the upload. A slow
    upload takes a place in the queue, never a worker.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once + waiting
        self._workers = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """Hold a place for one request.

        Raises:
            RequestError: all places are taken.
        """
        if not self._free:
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many requests",
                f"the queue is full; try again in {RETRY_SECONDS} seconds",
                {"Retry-After": str(RETRY_SECONDS)},
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def work(self, task: Callable[[], Result]) -> Result:
        """Run `task` in a thread once a worker is free; first come, first served."""
        async with self._workers:
            return await to_thread.run_sync(task)
