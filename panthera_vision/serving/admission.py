"""How many requests are let in, and how many of them are worked on at a time."""

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
    """Lets some requests in; those that find it full are sent away at once, to come again.

    Whoever is let in may hold an upload in memory, so that the gate stands before the upload;
    a slow upload holds a place in the queue and never one of the workers'.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once + waiting
        self._workers = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """A place for one request.

        Raises:
            RequestError: there is none.
        """
        if not self._free:
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many requests",
                f"all places are taken; ask again in {RETRY_SECONDS} seconds",
                {"Retry-After": str(RETRY_SECONDS)},
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def work(self, task: Callable[[], Result]) -> Result:
        """What `task` gives, in a thread, once a worker is free; first come, first served."""
        async with self._workers:
            return await to_thread.run_sync(task)
