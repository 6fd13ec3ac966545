"""Whatever can't be answered has a status, a short error fit for programs, and a sentence."""

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
    """Why there is no answer."""

    error: str = Field(description="A few words that stay the same, such as “not a photo”.")
    detail: str = Field(description="What is wrong this time, and what helps; may be empty.")


class RequestError(HTTPException):
    """A request that gets no answer, and why."""

    def __init__(
        self,
        status: HTTPStatus,
        error: str,
        detail: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(status, error, dict(headers))
        self.problem = Problem(error=error, detail=detail)


# What the description of the service says of refusals.
DESCRIBED: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "the request is no multipart form",
        408: "the upload takes too long",
        413: "the request is too large",
        422: "a wrong value, or no photo that can be read",
        503: "no model or no index yet, or too many requests: see `error` and Retry-After",
    }.items()
}


def answer_problems(app: FastAPI) -> None:
    """Let `app` answer whatever goes wrong with a `Problem`."""

    @app.exception_handler(RequestError)
    async def refused(request: Request, refusal: RequestError) -> JSONResponse:
        return _answer(refusal.status_code, refusal.problem, refusal.headers)

    @app.exception_handler(RequestValidationError)
    async def wrong_values(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [f"{_name(detail['loc'])}: {detail['msg']}" for detail in error.errors()]
        return _answer(422, Problem(error="wrong value", detail="; ".join(wrong)))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase.lower()
        detail = "" if error.detail.lower() == phrase else error.detail
        return _answer(error.status_code, Problem(error=phrase, detail=detail), error.headers)

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> JSONResponse:
        # The traceback goes to the service's log, and to nobody else.
        problem = Problem(error="internal server error", detail="a defect; the log has more")
        return _answer(500, problem)


def _answer(
    status: int, problem: Problem, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(problem.model_dump(), status, headers)


def _name(place: tuple[int | str, ...]) -> str:
    """The form's field that an error is about, without the word for where it was."""
    return ".".join(map(str, place[1:])) or "request"
