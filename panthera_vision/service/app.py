"""The service as an ASGI app, for uvicorn or any other server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, FastAPI, File, Form, UploadFile
from fastapi.middleware.cors import CORSMiddleware

from panthera_vision import __version__
from panthera_vision.service.answering import (
    Answerer,
    Asked,
    Classification,
    Health,
    SearchAnswer,
)
from panthera_vision.service.gate import Gate
from panthera_vision.service.refusals import DESCRIBED, answer_problems
from panthera_vision.service.settings import ServiceSettings
from panthera_vision.service.uploads import UploadRoute

MAXIMUM_COUNT = 100
_DESCRIPTION = (
    "Which species is on a photo, and which photos of the collection look like it. Photos are "
    "JPEG, PNG, WebP, GIF, TIFF, BMP or HEIC; they stay in memory and are forgotten with the "
    "answer. The photos found belong to their observers: show attribution and licence with them."
)

Photo = Annotated[UploadFile, File(description="The photo's file.")]


def create_app(settings: ServiceSettings) -> FastAPI:
    """A service with a model and an index of its own."""
    answerer = Answerer(settings)
    gate = Gate(settings.at_once, settings.waiting)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await to_thread.run_sync(answerer.health)  # loads the model before the first request
        yield

    app = FastAPI(
        title="Panthera Vision", version=__version__, description=_DESCRIPTION, lifespan=lifespan
    )
    app.state.settings, app.state.gate = settings, gate
    answer_problems(app)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.origins), allow_methods=["GET", "POST"]
        )
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
        asked = Asked(count, folded, species, license, observer, first_day, last_day, place)
        return await gate.work(partial(answerer.search, await photo.read(), asked))

    @uploads.post("/classify")
    async def classify(photo: Photo) -> Classification:
        """Which species is on the photo, if any of those that the model knows."""
        return await gate.work(partial(answerer.classify, await photo.read()))

    app.include_router(uploads)

    @app.get("/healthz")
    async def healthz() -> Health:
        """What the service can do now; answers while all places are taken, too."""
        return await to_thread.run_sync(answerer.health)

    return app
