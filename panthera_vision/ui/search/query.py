"""The photo that is searched with: how it is given, how it is shown, and its vector."""

from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from panthera_vision.data.taxonomy import Language
from panthera_vision.search.searcher import Searcher
from panthera_vision.ui.i18n import SEARCH, plain, text
from panthera_vision.ui.search.hits import Gallery
from panthera_vision.ui.search.state import (
    Query,
    can_go_back,
    go_back,
    start_anew,
    take_given,
    widget_key,
)
from panthera_vision.ui.search.wording import details
from panthera_vision.ui.uploads import UPLOAD_TYPES

_VECTOR = "vector of the given photo"


def photo_choice(page: Any, language: Language) -> None:
    """A file or a photo from the camera; what is given is kept for this visitor alone."""
    say = partial(text, SEARCH, language)
    source = page.segmented_control(
        say("source"),
        ["source_file", "source_camera"],
        default="source_file",
        required=True,
        format_func=say,
        key="source",
    )
    key = widget_key(page, source)
    name = say("camera_photo") if source == "source_camera" else ""
    given = {"key": key, "help": say("privacy"), "on_change": take_given, "args": (page, key, name)}
    # The camera is asked for only once it is chosen: the browser asks the visitor at once.
    if source == "source_camera":
        page.camera_input(say("camera"), **given)
    else:
        page.file_uploader(say("upload_one"), type=UPLOAD_TYPES, **given)


def show_query(gallery: Gallery, query: Query) -> None:
    """The photo that is searched with, and the ways back from it."""
    page, language = gallery.page, gallery.language
    say = partial(text, SEARCH, language)
    picture, words = page.columns([1, 3])
    if query.row is not None:
        gallery.show_photo(picture, query.row, caption=say("query_photo"))
        # As a caption: what stands as text are the results.
        words.caption(details(gallery.photo(query.row), language))
        words.caption(say("shareable"))
    elif query.upload is not None and query.upload.photo is not None:
        own = say("your_photo")
        picture.image(query.upload.photo, caption=own, alt=own, width="stretch")
        words.caption(plain(query.upload.name))
    buttons = words.container(horizontal=True)
    if can_go_back(page):
        buttons.button(say("back"), icon=":material/arrow_back:", on_click=go_back, args=(page,))
    buttons.button(
        say("start_anew"), icon=":material/restart_alt:", on_click=start_anew, args=(page,)
    )


def query_vector(page: Any, search: Searcher, query: Query) -> np.ndarray | None:
    """The vector to search with; None where there is no photo.

    A photo of the collection has one in the index. A visitor's own is embedded once, and not
    again with every click.
    """
    if query.row is not None:
        return search.index.vector(query.row)
    if query.upload is None or query.upload.photo is None:
        return None
    photo: Image.Image = query.upload.photo
    # Another model or another way to embed makes other vectors.
    maker = (search.index.manifest.model_fingerprint, search.index.manifest.whitening_sha256)
    known = page.session_state.get(_VECTOR)
    if known is None or known[0] is not photo or known[1] != maker:
        known = (photo, maker, search.embed(photo))
        page.session_state[_VECTOR] = known
    vector: np.ndarray = known[2]
    return vector
