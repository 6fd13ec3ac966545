"""Answers bounded in time and bytes, however slowly or endlessly a server sends them."""

import io
import time
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

_CHUNK = 1 << 16


class AnswerTooLargeError(requests.RequestException):
    """There was no end to an answer."""


class LimitedHTTPAdapter(HTTPAdapter):
    """Makes requests whose answers are whole in memory, in time and within the limit, or refused.

    The timeouts of requests bound the wait for the next byte; a server that sends one now and then
    could be listened to for ever. So each request has a thread of its own, which is left alone
    when the time is up.

    Args:
        maximum_bytes: of an answer, unpacked.
        maximum_seconds: from the connection to the last byte.
    """

    def __init__(self, maximum_bytes: int, maximum_seconds: float) -> None:
        super().__init__()
        self._maximum_bytes = maximum_bytes
        self._maximum_seconds = maximum_seconds

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        """As `HTTPAdapter.send`, with the body read.

        Raises:
            requests.ReadTimeout: it took too long.
            AnswerTooLargeError: it is too large.
            requests.RequestException: as ever.
        """
        outcome: SimpleQueue[requests.Response | Exception] = SimpleQueue()
        over = Event()

        def work() -> None:
            try:
                outcome.put(self._whole(request, over, options))
            except Exception as error:
                outcome.put(error)

        Thread(target=work, daemon=True, name="request").start()
        try:
            answer = outcome.get(timeout=self._maximum_seconds)
        except Empty:
            over.set()
            raise requests.ReadTimeout(request=request) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _whole(
        self, request: requests.PreparedRequest, over: Event, options: dict[str, Any]
    ) -> requests.Response:
        response = super().send(request, **options | {"stream": True})
        body = bytearray()
        deadline = time.monotonic() + self._maximum_seconds
        try:
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > self._maximum_bytes:
                    raise AnswerTooLargeError("the answer is too large", request=request)
                if over.is_set() or time.monotonic() > deadline:
                    raise requests.ReadTimeout(request=request)
        finally:
            response.close()
        return _with_body(response, bytes(body))


def _with_body(response: requests.Response, body: bytes) -> requests.Response:
    """The response as if `body` was still to be read from it, which caches want to do."""
    raw = response.raw
    headers = urllib3.HTTPHeaderDict(raw.headers)
    for name in ("Content-Encoding", "Transfer-Encoding", "Content-Length"):
        headers.pop(name, None)
        response.headers.pop(name, None)
    response.raw = urllib3.HTTPResponse(
        io.BytesIO(body),
        headers,
        raw.status,
        raw.version,
        reason=raw.reason,
        preload_content=False,
        request_method="GET",
        request_url=raw.geturl() or "",
    )
    response._content = False
    response._content_consumed = False
    return response
