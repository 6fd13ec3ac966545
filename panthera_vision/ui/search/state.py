"""What is searched with: a photo of the collection, kept in the address, or a visitor's own.

The photo of the collection wins: a visitor comes to it from the own one by a click on a result,
and goes back.
"""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from panthera_vision.ui.uploads import Upload, take_upload

_PHOTO = "photo"
_GIVEN = "given photo"
_TRAIL = "trail"
_ROUND = "round"
_LONGEST_TRAIL = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Query:
    """What to search with: one of the two, or neither; or an address that names no photo.

    Attributes:
        row: a photo of the collection, by its row.
        upload: a visitor's photo.
        unknown: the address asks for a photo that the collection does not have.
    """

    row: int | None = None
    upload: Upload | None = None
    unknown: bool = False


def current_query(page: Any, table: pd.DataFrame) -> Query:
    """What the address or the visitor asks to search with.

    Args:
        page: the `streamlit` module, handed in so that the package needs no Streamlit.
        table: the index's photos.
    """
    asked = page.query_params.get(_PHOTO)
    given = page.session_state.get(_GIVEN)
    if asked is None:
        return Query(upload=given)
    rows = table.index[table["id"] == asked].tolist() if _ID.fullmatch(asked) else []
    if not rows:
        return Query(upload=given, unknown=True)
    return Query(row=rows[0])


def search_with(page: Any, photo: str) -> None:
    """Go on with a photo of the collection; the way back is kept."""
    trail = page.session_state.setdefault(_TRAIL, [])
    trail.append(page.query_params.get(_PHOTO, ""))
    del trail[:-_LONGEST_TRAIL]
    page.query_params[_PHOTO] = photo


def can_go_back(page: Any) -> bool:
    """Whether there was something before this photo."""
    return bool(page.session_state.get(_TRAIL))


def go_back(page: Any) -> None:
    """Return to what was searched with before; "" on the trail is the visitor's own, or nothing."""
    photo = page.session_state[_TRAIL].pop()
    if photo:
        page.query_params[_PHOTO] = photo
    else:
        forget_address(page)


def start_anew(page: Any) -> None:
    """Forget the photos, the visitor's own as well."""
    page.session_state.pop(_TRAIL, None)
    page.session_state.pop(_GIVEN, None)
    # A widget under another key has no file in it.
    page.session_state[_ROUND] = page.session_state.get(_ROUND, 0) + 1
    forget_address(page)


def forget_address(page: Any) -> None:
    """Take the photo out of the address."""
    if _PHOTO in page.query_params:
        del page.query_params[_PHOTO]


def widget_key(page: Any, name: str) -> str:
    """A key for a widget that is emptied by `start_anew`."""
    return f"{name} {page.session_state.get(_ROUND, 0)}"


def take_given(page: Any, key: str, name: str = "") -> None:
    """Take the photo that the widget `key` holds now, or none where it was emptied.

    Args:
        page: the `streamlit` module.
        key: of the widget.
        name: what the photo is called, where its file has no name that says something.
    """
    file = page.session_state.get(key)
    page.session_state.pop(_TRAIL, None)
    if file is None:
        page.session_state.pop(_GIVEN, None)
    else:
        page.session_state[_GIVEN] = take_upload(name or file.name, file.getvalue())
        forget_address(page)
