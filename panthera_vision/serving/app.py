"""The HTTP service as a FastAPI (ASGI) app: POST /search, POST /classify, GET /healthz."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, File, Form, UploadFile
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from panthera_vision import __version__
from panthera_vision.images.kinds import KINDS
from panthera_vision.serving.admission import AdmissionController
from panthera_vision.serving.errors import ERROR_RESPONSES, add_error_handlers
from panthera_vision.serving.handlers import (
    BoxClassifications,
    Classification,
    Health,
    RequestHandlers,
    SearchAnswer,
    SearchForm,
)
from panthera_vision.serving.settings import ServiceSettings
from panthera_vision.serving.uploads import UploadRoute

_DESCRIPTION = (
    "Classify the species on a photo, and find similar photos in the collection. Photos are of "
    f"one of these kinds: {KINDS}; they stay in memory and are forgotten after the "
    "response. The photos found belong to their observers: show attribution and license with them."
)

# Swagger UI's page before its script has loaded.
_EMPTY_PAGE = b'<div id="swagger-ui">'
_OFFLINE_PAGE = _EMPTY_PAGE + (
    b"<p>This page loads its script from cdn.jsdelivr.net. If your browser can't reach it, "
    b'<a href="openapi.json">openapi.json</a> has the whole description, and docs/service.md, '
    b"which comes with the code, explains it with examples.</p>"
)

Photo = Annotated[UploadFile, File(description="The photo's file.")]
_DETECTIONS = (
    "The detections of a detector as JSON: the list `detections` of MegaDetector's format for this "
    "photo. Then each animal is classified by itself."
)


def create_app(settings: ServiceSettings) -> FastAPI:
    """Create a service with a model and an index of its own."""
    handlers = RequestHandlers(settings)
    admission = AdmissionController(settings.at_once, settings.waiting)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await to_thread.run_sync(handlers.health)  # loads the model before the first request
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
    add_error_handlers(app)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.origins), allow_methods=["GET", "POST"]
        )
    app.include_router(_upload_router(handlers, admission))

    # Load balancers and uptime monitors ask with HEAD.
    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz")
    async def healthz() -> Health:
        """Report what the service can do; answers even while all places are taken."""
        return await to_thread.run_sync(handlers.health)

    @app.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
    async def docs() -> HTMLResponse:
        page = get_swagger_ui_html(openapi_url="openapi.json", title=app.title)
        return HTMLResponse(bytes(page.body).replace(_EMPTY_PAGE, _OFFLINE_PAGE))

    return app


def _upload_router(handlers: RequestHandlers, admission: AdmissionController) -> APIRouter:
    """Return the endpoints that take a photo."""
    router = APIRouter(route_class=UploadRoute, responses=ERROR_RESPONSES)

    # The worker reads the upload: requests that wait for one hold no second copy of it.
    @router.post("/search")
    async def search(photo: Photo, form: Annotated[SearchForm, Depends()]) -> SearchAnswer:
        """Find the photos of the collection that look most like this one."""
        return await admission.work(lambda: handlers.search(photo.file.read(), form))

    @router.post("/classify")
    async def classify(
        photo: Photo,
        detections: Annotated[str, Form(description=_DETECTIONS)] = "",
        detection_threshold: Annotated[
            float | None, Form(ge=0, le=1, description="Lowest confidence; default 0.2.")
        ] = None,
    ) -> Classification | BoxClassifications:
        """Classify the photo, or each animal on it: a species, or “none of these”."""
        if not detections.strip():
            return await admission.work(lambda: handlers.classify(photo.file.read()))
        return await admission.work(
            lambda: handlers.classify_boxes(photo.file.read(), detections, detection_threshold)
        )

    return router
