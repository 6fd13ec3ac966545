"""Where photos come from: files, the clipboard, the camera, or the examples."""

from functools import partial

import streamlit as st

from classifier_pages import loaded
from panthera_vision.apps.captions import credit_lines
from panthera_vision.apps.classified import Given
from panthera_vision.apps.intake import MAXIMUM_UPLOAD_BYTES, UPLOAD_TYPES
from panthera_vision.apps.texts import CLASSIFICATION, text
from panthera_vision.apps.uploader import dress_uploader
from panthera_vision.photos.decoding import PhotoError, read_photo
from panthera_vision.taxa import Language, common_name

# What a visit may ask for at once; more is work for the command line.
MOST_PHOTOS = 200
_EXAMPLE = "example"
_EXAMPLE_WIDTH = 150


def ask_for_photos(language: Language) -> list[Given]:
    """What the visitor has given so far: uploads and camera, else the example that was chosen."""
    say = partial(text, CLASSIFICATION, language)
    dress_uploader(st, language, MAXIMUM_UPLOAD_BYTES // 1_000_000)
    files = st.file_uploader(
        say("upload_many"), type=UPLOAD_TYPES, accept_multiple_files=True, help=say("privacy")
    )
    given = [Given(file.file_id, file.name, file.getvalue) for file in files]
    if st.toggle(say("camera")):  # the browser asks for leave only when it is wanted
        shot = st.camera_input(say("camera_photo"))
        if shot:
            given.append(Given(shot.file_id, say("camera_photo"), shot.getvalue))
    if len(given) > MOST_PHOTOS:
        st.warning(say("too_many", count=MOST_PHOTOS))
    if given:
        st.session_state.pop(_EXAMPLE, None)
        return given[:MOST_PHOTOS]
    return _ask_for_example(language)


def _ask_for_example(language: Language) -> list[Given]:
    say = partial(text, CLASSIFICATION, language)
    examples = loaded.examples()
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
    st.subheader(say("examples"))
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
