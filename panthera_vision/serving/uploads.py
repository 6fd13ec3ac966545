"""Multipart forms read into memory, never onto a disk, and no further than the limits allow."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from panthera_vision.serving.admission import AdmissionController
from panthera_vision.serving.errors import RequestError
from panthera_vision.serving.settings import MEGA, ServiceSettings

_FIELDS, _FIELD_BYTES = 100, 2048
# Many clients understand a no only once they have sent all. To be polite, up to so many times the
# limit is taken in and thrown away.
_POLITE = 2


class UploadRoute(APIRoute):
    """A route that takes one file: a place at the gate first, then the form, within the limits.

    The app's state has the `admission` and the `settings`.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        answer = super().get_route_handler()

        async def answer_upload(request: Request) -> Response:
            admission: AdmissionController = request.app.state.admission
            settings: ServiceSettings = request.app.state.settings
            body = _Body(request.receive)
            try:
                async with admission.admit():
                    return await answer(_UploadRequest(request.scope, body.receive))
            except RequestError as refusal:
                # A client that waits to be told to go on is told no; one that is slow stays so.
                ends = refusal.status_code == HTTPStatus.REQUEST_TIMEOUT or (
                    "expect" in request.headers
                )
                if ends or not await body.let_pass(settings):
                    refusal.headers = {**(refusal.headers or {}), "Connection": "close"}
                raise

        return answer_upload


class _InMemoryParser(MultiPartParser):
    """Starlette's parser, which would write what is larger than a megabyte to a temporary file."""

    def __init__(self, *arguments: Any, upload_bytes: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.spool_max_size = upload_bytes


class _UploadRequest(Request):
    """A request whose form is read by `_InMemoryParser`, in time and within the limit."""

    @property
    def _settings(self) -> ServiceSettings:
        settings: ServiceSettings = self.app.state.settings
        return settings

    async def form(self, **limits: Any) -> FormData:  # type: ignore[override]
        """The form; FastAPI takes the endpoints' values from it.

        Raises:
            RequestError: it is too large, too slow, or no form.
        """
        if not self.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise RequestError(
                HTTPStatus.BAD_REQUEST, "not a form", "send multipart/form-data with a file `photo`"
            )
        parser = _InMemoryParser(
            self.headers,
            self._within_limit(),
            upload_bytes=self._settings.upload_bytes,
            max_files=1,
            max_fields=_FIELDS,
            max_part_size=_FIELD_BYTES,
        )
        try:
            async with asyncio.timeout(self._settings.upload_seconds):
                return await parser.parse()
        except TimeoutError:
            raise RequestError(
                HTTPStatus.REQUEST_TIMEOUT,
                "upload too slow",
                f"it took more than {self._settings.upload_seconds:g} seconds",
            ) from None
        except MultiPartException as error:
            raise RequestError(HTTPStatus.BAD_REQUEST, "not a form", error.message) from None
        except ClientDisconnect:
            raise RequestError(HTTPStatus.BAD_REQUEST, "upload broken off") from None

    async def _within_limit(self) -> AsyncGenerator[bytes, None]:
        limit = self._settings.upload_bytes
        too_large = RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "file too large",
            f"a request may have {limit / MEGA:g} MB",
        )
        declared = self.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared) > limit:
            raise too_large
        taken = 0
        async for chunk in self.stream():
            taken += len(chunk)
            if taken > limit:
                raise too_large
            yield chunk


class _Body:
    """A request's body while it comes in."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> Message:
        """The next part of it, as ASGI has it."""
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def let_pass(self, settings: ServiceSettings) -> bool:
        """Throw away what is still to come; whether it ended within reason."""
        left = _POLITE * settings.upload_bytes
        try:
            async with asyncio.timeout(settings.upload_seconds):
                while not self._ended and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return False
        return self._ended
