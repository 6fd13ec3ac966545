"""Limit the total time and size of HTTP responses, against slow or endless servers."""

import time
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

import requests
from requests.adapters import HTTPAdapter

_CHUNK = 1 << 16


class ResponseTooLargeError(requests.RequestException):
    """Report a response over the size limit."""


class LimitedHTTPAdapter(HTTPAdapter):
    """Read each response completely, within a time and a size limit.

    The timeouts of requests apply to the next byte only: a server that sends one now and then
    (slowloris) could hold a client forever. Each request therefore runs in its own thread, which
    is abandoned when the time is up.

    Args:
        maximum_bytes: of a response, decompressed.
        maximum_seconds: from the connection to the last byte.
    """

    def __init__(self, maximum_bytes: int, maximum_seconds: float) -> None:
        super().__init__()
        self._maximum_bytes = maximum_bytes
        self._maximum_seconds = maximum_seconds

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """Send a request as `HTTPAdapter.send` does, and read the response.

        Raises:
            requests.ReadTimeout: over the time limit.
            ResponseTooLargeError: over the size limit.
            requests.RequestException: see `HTTPAdapter.send`.
        """
        outcome: SimpleQueue[requests.Response | Exception] = SimpleQueue()
        cancelled = Event()

        def work() -> None:
            try:
                outcome.put(self._send_and_read(request, cancelled, options))
            except Exception as error:
                outcome.put(error)

        Thread(target=work, daemon=True, name="request").start()
        try:
            response = outcome.get(timeout=self._maximum_seconds)
        except Empty:
            cancelled.set()
            raise requests.ReadTimeout(request=request) from None
        if isinstance(response, Exception):
            raise response
        return response

    def _send_and_read(
        self, request: requests.PreparedRequest, cancelled: Event, options: dict[str, Any]
    ) -> requests.Response:
        response = super().send(request, **options | {"stream": True})
        body = bytearray()
        deadline = time.monotonic() + self._maximum_seconds
        try:
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > self._maximum_bytes:
                    raise ResponseTooLargeError("the response is too large", request=request)
                if cancelled.is_set() or time.monotonic() > deadline:
                    raise requests.ReadTimeout(request=request)
        finally:
            response.close()
        response._content, response._content_consumed = bytes(body), True
        return response
