"""The service as an ASGI app, for uvicorn or any other server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, FastAPI, File, Form, UploadFile
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from panthera_vision import __version__
from panthera_vision.serving.admission import AdmissionController
from panthera_vision.serving.errors import DESCRIBED, answer_problems
from panthera_vision.serving.handlers import (
    Classification,
    Health,
    RequestHandlers,
    SearchAnswer,
    SearchRequest,
)
from panthera_vision.serving.settings import ServiceSettings
from panthera_vision.serving.uploads import UploadRoute

MAXIMUM_COUNT = 100
_DESCRIPTION = (
    "Which species is on a photo, and which photos of the collection look like it. Photos are "
    "JPEG, PNG, WebP, GIF, TIFF, BMP or HEIC; they stay in memory and are forgotten with the "
    "answer. The photos found belong to their observers: show attribution and licence with them."
)

# What stands on the page of the description until its script has come.
_EMPTY_PAGE = b'<div id="swagger-ui">'
_PAGE_WITHOUT_NETWORK = _EMPTY_PAGE + (
    b"<p>This page loads its script from cdn.jsdelivr.net. Where that can't be reached, "
    b'<a href="openapi.json">openapi.json</a> has the whole description, and docs/service.md, '
    b"which comes with the code, has it in words, with examples.</p>"
)

Photo = Annotated[UploadFile, File(description="The photo's file.")]


def create_app(settings: ServiceSettings) -> FastAPI:
    """A service with a model and an index of its own."""
    answerer = RequestHandlers(settings)
    admission = AdmissionController(settings.at_once, settings.waiting)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await to_thread.run_sync(answerer.health)  # loads the model before the first request
        yield

    app = FastAPI(
        title="Panthera Vision",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings, app.state.admission = settings, admission
    answer_problems(app)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.origins), allow_methods=["GET", "POST"]
        )
    # Uploads are in memory, and read by the worker: those that wait for one have no second copy.
    uploads = APIRouter(route_class=UploadRoute, responses=DESCRIBED)

    @uploads.post("/search")
    async def search(
        photo: Photo,
        count: Annotated[int, Form(ge=1, le=MAXIMUM_COUNT, description="How many hits.")] = 10,
        folded: Annotated[
            bool, Form(description="Whether near-duplicates are one hit, the others behind it.")
        ] = True,
        species: Annotated[
            Sequence[str], Form(description="Only these, such as Panthera leo.")
        ] = (),
        license: Annotated[
            Sequence[str], Form(description="Only these, such as CC-BY, or all-rights-reserved.")
        ] = (),
        observer: Annotated[Sequence[str], Form(description="Only photos by these.")] = (),
        first_day: Annotated[date | None, Form(description="Taken on this day or later.")] = None,
        last_day: Annotated[date | None, Form(description="Taken on this day or earlier.")] = None,
        place: Annotated[str, Form(description="Words that the place has in it.")] = "",
    ) -> SearchAnswer:
        """The photos of the collection that look most like this one."""
        asked = SearchRequest(count, folded, species, license, observer, first_day, last_day, place)
        return await admission.work(lambda: answerer.search(photo.file.read(), asked))

    @uploads.post("/classify")
    async def classify(photo: Photo) -> Classification:
        """Which species is on the photo, if any of those that the model knows."""
        return await admission.work(lambda: answerer.classify(photo.file.read()))

    app.include_router(uploads)

    @app.get("/healthz")
    async def healthz() -> Health:
        """What the service can do now; answers while all places are taken, too."""
        return await to_thread.run_sync(answerer.health)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        page = get_swagger_ui_html(openapi_url="openapi.json", title=app.title)
        return HTMLResponse(bytes(page.body).replace(_EMPTY_PAGE, _PAGE_WITHOUT_NETWORK))

    return app
