"""Take the visitor's photos: files, the clipboard, the camera, or an example."""

from collections.abc import Sequence

import streamlit as st

from panthera_vision.ui.captions import credit_lines
from panthera_vision.ui.classification import cache
from panthera_vision.ui.classification.examples import Example
from panthera_vision.ui.classification.prediction_cache import PhotoFile, limit_files
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.layout import inputs_place
from panthera_vision.ui.paths import ClassifierPaths
from panthera_vision.ui.thumbnails import load_thumbnail
from panthera_vision.ui.uploader_widget import localize_uploaders
from panthera_vision.ui.uploads import UPLOAD_TYPES

# The most that a visitor may upload; the command line is for more.
MOST_PHOTOS = 200
MOST_BYTES = 500_000_000
_FILES, _CAMERA, _EARLIER, _EXAMPLE = "files", "camera", "earlier files", "example"
_CAMERA_WANTED, _GENERATION = "camera wanted", "generation of the upload boxes"
_EXAMPLE_WIDTH = 150


def ask_for_photos(paths: ClassifierPaths, t: Translator) -> list[PhotoFile]:
    """Return the visitor's uploads and camera photos, or else the example that was chosen."""
    localize_uploaders(t)
    earlier = _earlier_files()
    with inputs_place(has_photos()):
        _show_boxes(t)
        if earlier:
            st.markdown(t("earlier_photos", count=len(earlier)))
            st.button(t("remove_photos"), on_click=earlier.clear)
    files = [*earlier, *_kept(_FILES), *_kept(_CAMERA)]
    limited = limit_files(files, MOST_PHOTOS, MOST_BYTES)
    if len(limited) < len(files):
        st.warning(t("too_many", count=len(limited)))
    if not limited:
        return _ask_for_example(cache.find_examples(paths), paths, t)
    st.session_state.pop(_EXAMPLE, None)
    return limited


def has_photos() -> bool:
    """Return whether the visitor has given a photo, or chosen an example."""
    kept = (_EARLIER, *(f"kept {widget}" for widget in (_FILES, _CAMERA)))
    return _EXAMPLE in st.session_state or any(st.session_state.get(name) for name in kept)


def show_start_again_button(t: Translator) -> None:
    """Show the button that forgets the visitor's photos."""
    st.button(t("other_photos"), icon=":material/restart_alt:", on_click=_start_again)


def _start_again() -> None:
    """Forget all photos: boxes with another key are empty; a callback."""
    for name in (_EXAMPLE, _EARLIER, f"kept {_FILES}", f"kept {_CAMERA}"):
        st.session_state.pop(name, None)
    st.session_state[_CAMERA_WANTED] = False
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def _show_boxes(t: Translator) -> None:
    """Show the box for files, and the camera if it is wanted."""
    st.file_uploader(
        t("upload_many"),
        type=UPLOAD_TYPES,
        accept_multiple_files=True,
        help=t("privacy"),
        key=_key(_FILES),
        on_change=_keep_files,
        args=(_FILES,),
    )
    # The browser asks for permission only once the camera is wanted.
    if st.toggle(t("camera"), key=_CAMERA_WANTED, on_change=_keep_files, args=(_CAMERA,)):
        name = t("camera_photo")
        st.camera_input(name, key=_key(_CAMERA), on_change=_keep_files, args=(_CAMERA, name))


def _key(widget: str) -> str:
    return f"{widget} {st.session_state.get(_GENERATION, 0)}"


def _kept(widget: str) -> list[PhotoFile]:
    kept: list[PhotoFile] = st.session_state.setdefault(f"kept {widget}", [])
    return kept


def _keep_files(widget: str, name: str = "") -> None:
    """Keep the files of an upload box in the session; a callback.

    Streamlit empties a box when its page is left, and stops a run when another starts. Callbacks
    come before a run, so that no upload is lost if the visitor leaves the page at once.
    """
    uploaded = st.session_state.get(_key(widget)) or []
    files = uploaded if isinstance(uploaded, list) else [uploaded]
    _kept(widget)[:] = [
        PhotoFile(file.file_id, name or file.name, file.getvalue, file.size) for file in files
    ]


def _earlier_files() -> list[PhotoFile]:
    """Return the files that the visitor added before leaving the page and coming back."""
    earlier: list[PhotoFile] = st.session_state.setdefault(_EARLIER, [])
    for widget in (_FILES, _CAMERA):
        if _key(widget) not in st.session_state:  # its box is a new, empty one
            earlier += _kept(widget)
            _kept(widget).clear()
    return earlier


def _ask_for_example(
    examples: Sequence[Example], paths: ClassifierPaths, t: Translator
) -> list[PhotoFile]:
    """Return the example that was chosen, or show those to choose from."""
    chosen = st.session_state.get(_EXAMPLE)
    for number, example in enumerate(examples, 1):
        if example.key == chosen:
            species = t.species(example.row["species"])
            name = t("example_named", number=number, species=species)
            return [PhotoFile(example.key, name, example.path.read_bytes)]
    st.session_state.pop(_EXAMPLE, None)  # one that is gone
    if not examples:
        return []
    st.header(t("examples"))
    with st.container(horizontal=True):
        for number, example in enumerate(examples, 1):
            thumbnail = load_thumbnail(paths, example.row["file"])
            if thumbnail is None:
                continue
            name = t("example", number=number)
            with st.container(width=_EXAMPLE_WIDTH):
                st.image(thumbnail, width=_EXAMPLE_WIDTH, alt=name)
                st.button(
                    name,
                    key=f"button {example.key}",
                    on_click=st.session_state.__setitem__,
                    args=(_EXAMPLE, example.key),
                )
                st.caption("  \n".join(credit_lines(example.row, t)))
    return []
