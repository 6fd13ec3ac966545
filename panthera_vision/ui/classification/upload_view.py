"""Where photos come from: files, the clipboard, the camera, or the examples."""

from functools import partial

import streamlit as st

from panthera_vision.data.taxonomy import Language, common_name
from panthera_vision.images.decoding import PhotoError, read_photo
from panthera_vision.ui.captions import credit_lines
from panthera_vision.ui.classification import cache
from panthera_vision.ui.i18n import CLASSIFICATION, text
from panthera_vision.ui.prediction_cache import Given, within_limits
from panthera_vision.ui.uploader_widget import dress_uploader
from panthera_vision.ui.uploads import MAXIMUM_UPLOAD_BYTES, UPLOAD_TYPES

# What a visit may ask for at once; more is work for the command line.
MOST_PHOTOS = 200
MOST_BYTES = 500_000_000
_FILES = "files"
_GIVEN = "given"
_CARRIED = "given before"
_EXAMPLE = "example"
_EXAMPLE_WIDTH = 150


def ask_for_photos(language: Language) -> list[Given]:
    """What the visitor has given so far: uploads and camera, else the example that was chosen."""
    say = partial(text, CLASSIFICATION, language)
    dress_uploader(st, language, MAXIMUM_UPLOAD_BYTES // 1_000_000)
    # Streamlit empties the boxes of a page that is left: a visitor who comes back from another
    # page finds the photos again nevertheless.
    if _FILES not in st.session_state:
        st.session_state[_CARRIED] = st.session_state.get(_GIVEN, [])
    files = st.file_uploader(
        say("upload_many"),
        type=UPLOAD_TYPES,
        accept_multiple_files=True,
        help=say("privacy"),
        key=_FILES,
    )
    given: list[Given] = [
        *st.session_state[_CARRIED],
        *(Given(file.file_id, file.name, file.getvalue, file.size) for file in files),
    ]
    if st.toggle(say("camera")):  # the browser asks for leave only when it is wanted
        shot = st.camera_input(say("camera_photo"))
        if shot:
            given.append(Given(shot.file_id, say("camera_photo"), shot.getvalue, shot.size))
    taken = within_limits(given, MOST_PHOTOS, MOST_BYTES)
    if len(taken) < len(given):
        st.warning(say("too_many", count=len(taken)))
    st.session_state[_GIVEN] = taken
    if not taken:
        return _ask_for_example(language)
    st.session_state.pop(_EXAMPLE, None)
    _show_carried(language)
    return taken


def _show_carried(language: Language) -> None:
    """How many photos are left from an earlier look at this page, and the way to be rid of them."""
    carried = st.session_state[_CARRIED]
    if not carried:
        return
    say = partial(text, CLASSIFICATION, language)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(say("from_before", count=len(carried)), width="content")
        st.button(say("take_away"), on_click=carried.clear)


def _ask_for_example(language: Language) -> list[Given]:
    say = partial(text, CLASSIFICATION, language)
    examples = cache.examples()
    if not examples:
        return []
    chosen = st.session_state.get(_EXAMPLE)
    for number, example in enumerate(examples, 1):
        if example.id == chosen:
            st.button(say("close_example"), on_click=st.session_state.pop, args=(_EXAMPLE, None))
            name = say(
                "example_named", number=number, species=common_name(example.species, language)
            )
            return [Given(f"example {example.id}", name, example.path.read_bytes)]
    st.header(say("examples"))
    with st.container(horizontal=True):
        for number, example in enumerate(examples, 1):
            name = say("example", number=number)
            with st.container(width=_EXAMPLE_WIDTH):
                try:
                    photo = read_photo(example.path)
                except PhotoError:
                    continue
                st.image(photo, width=_EXAMPLE_WIDTH, alt=name)
                st.button(
                    name,
                    key=f"{_EXAMPLE} {example.id}",
                    on_click=st.session_state.__setitem__,
                    args=(_EXAMPLE, example.id),
                )
                credit = {
                    "license": example.license,
                    "attribution": example.attribution,
                    "observation_url": example.observation_url,
                }
                st.caption("  \n".join(credit_lines(credit, CLASSIFICATION, language)))
    return []
