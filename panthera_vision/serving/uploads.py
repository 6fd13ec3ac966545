"""Multipart uploads: parsed in memory, never on disk, within limits of size and time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, QueryParams
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from panthera_vision.serving.admission import AdmissionController
from panthera_vision.serving.errors import RequestError
from panthera_vision.serving.settings import MEGA, ServiceSettings

_MAX_FIELDS, _MAX_FIELD_BYTES = 100, 2048
# Of forms with this field, which may have a hundred boxes of a detector.
_LONG_FIELD, _MAX_LONG_FIELD_BYTES = "detections", 32_768
_MAX_LISTED = 10  # unknown fields in an error
# Many clients read a refusal only after they have sent everything, so up to this many times the
# limit is received and discarded.
_DRAIN_FACTOR = 2


class UploadRoute(APIRoute):
    """Route for uploads: asks for admission first, then parses the form within the limits.

    The app's state holds `admission` and `settings`.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        fields = _field_names(self.dependant)

        async def handle_upload(request: Request) -> Response:
            admission: AdmissionController = request.app.state.admission
            settings: ServiceSettings = request.app.state.settings
            body = _Body(request.receive)
            try:
                async with admission.admit():
                    return await handle(_UploadRequest(request.scope, body.receive, fields))
            except RequestError as refusal:
                # A client with "Expect: 100-continue" has sent nothing; a slow one will stay slow.
                hang_up = refusal.status_code == HTTPStatus.REQUEST_TIMEOUT or (
                    "expect" in request.headers
                )
                if hang_up or not await body.drain(settings):
                    refusal.headers = {**(refusal.headers or {}), "Connection": "close"}
                raise

        return handle_upload


class _UploadRequest(Request):
    """A request whose form is parsed in memory, within the limits of size and time."""

    def __init__(self, scope: Scope, receive: Receive, fields: Sequence[str]) -> None:
        super().__init__(scope, receive)
        self._known_fields = fields

    @property
    def _settings(self) -> ServiceSettings:
        settings: ServiceSettings = self.app.state.settings
        return settings

    async def form(self, **limits: Any) -> FormData:  # type: ignore[override]
        """Parse the form, from which FastAPI takes the endpoints' parameters.

        Raises:
            RequestError: the upload is too large, too slow, or no form, or a field is unknown.
        """
        if not self.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise RequestError(
                HTTPStatus.BAD_REQUEST, "not a form", "send multipart/form-data with a file `photo`"
            )
        has_long_field = _LONG_FIELD in self._known_fields
        parser = MultiPartParser(
            self.headers,
            self._limited_stream(),
            max_files=1,
            max_fields=_MAX_FIELDS,
            max_part_size=_MAX_LONG_FIELD_BYTES if has_long_field else _MAX_FIELD_BYTES,
        )
        # The parser would write what is larger than a megabyte to a temporary file.
        parser.spool_max_size = self._settings.upload_bytes
        try:
            async with asyncio.timeout(self._settings.upload_seconds):
                form = await parser.parse()
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
        _require_known_fields(self._known_fields, form, self.query_params)
        return form

    async def _limited_stream(self) -> AsyncGenerator[bytes, None]:
        limit = self._settings.upload_bytes
        too_large = RequestError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "file too large",
            f"a request may have {limit / MEGA:g} MB",
        )
        declared = self.headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared) > limit:
            raise too_large
        received = 0
        async for chunk in self.stream():
            received += len(chunk)
            if received > limit:
                raise too_large
            yield chunk


def _field_names(endpoint: Dependant) -> list[str]:
    """Return the fields of an endpoint's form."""
    names = [field.alias for field in endpoint.body_params]
    return names + [name for part in endpoint.dependencies for name in _field_names(part)]


def _require_known_fields(known: Sequence[str], form: FormData, query: QueryParams) -> None:
    """Refuse what would be ignored: a misspelled filter would let all photos pass.

    Raises:
        RequestError: the form has another field, or the address has parameters.
    """
    allowed = f"fields of this form are {', '.join(known)}"
    wrong = [f"{name}: send it as a field of the form" for name in query]
    for name in form:
        if name not in known:
            closest = get_close_matches(name.lower(), known, n=1)
            wrong.append(f"{name}: unknown field" + (f", meant {closest[0]}?" if closest else ""))
    if wrong:
        detail = "; ".join([*wrong[:_MAX_LISTED], allowed])
        raise RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "wrong value", detail)


class _Body:
    """Receive a request's body, and know whether it has ended."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> Message:
        """Receive the next ASGI message."""
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self, settings: ServiceSettings) -> bool:
        """Discard the rest of the body; return whether it ended within the limits."""
        left = _DRAIN_FACTOR * settings.upload_bytes
        try:
            async with asyncio.timeout(settings.upload_seconds):
                while not self._ended and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return False
        return self._ended
