"""Error responses: an HTTP status, a constant error string and a human-readable message."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException


class Problem(BaseModel):
    """Why the request failed."""

    error: str = Field(description="Constant error string, such as “not a photo”.")
    detail: str = Field(
        description="Human-readable message with the cause and the remedy; may be empty."
    )


class RequestError(HTTPException):
    """A request that the service refuses, with status, problem and headers."""

    def __init__(
        self,
        status: HTTPStatus,
        error: str,
        detail: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(status, error, dict(headers))
        self.problem = Problem(error=error, detail=detail)


# For the OpenAPI description.
ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "the request is not a multipart form",
        408: "the upload takes too long",
        413: "the request is too large",
        422: "a wrong value or an unreadable photo",
        503: "no model or no index yet, or too many requests: see `error` and Retry-After",
    }.items()
}


def add_error_handlers(app: FastAPI) -> None:
    """Make `app` answer every error with a `Problem`."""

    @app.exception_handler(RequestError)
    async def refused(request: Request, error: RequestError) -> JSONResponse:
        return _response(error.status_code, error.problem, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [f"{_field(detail['loc'])}: {detail['msg']}" for detail in error.errors()]
        return _response(422, Problem(error="wrong value", detail="; ".join(wrong)))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase.lower()
        detail = "" if error.detail.lower() == phrase else error.detail
        return _response(error.status_code, Problem(error=phrase, detail=detail), error.headers)

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        # The traceback goes to the service's log only.
        problem = Problem(error="internal server error", detail="a bug; the log has more")
        return _response(500, problem)


def _response(
    status: int, problem: Problem, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(problem.model_dump(), status, headers)


def _field(location: tuple[int | str, ...]) -> str:
    """Return the form field of a validation error, without the leading "body"."""
    return ".".join(map(str, location[1:])) or "request"
