"""Which species is on the photo? `streamlit run web_app.py`"""

from functools import partial
from pathlib import Path

import streamlit as st

from panthera_vision.apps.data_note import show_data_note
from panthera_vision.apps.intake import UPLOAD_TYPES, Upload, take_upload
from panthera_vision.apps.language import language_choice
from panthera_vision.apps.overlay import overlay
from panthera_vision.apps.texts import CLASSIFICATION, percent, text
from panthera_vision.errors import UserError
from panthera_vision.models.attention import attention_map
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.models.inference import Predictor
from panthera_vision.taxa import Language, common_name

MODEL = Path(__file__).parent / "models" / "best_model.pth"
CREDITS = Path(__file__).parent / "results" / "CREDITS.csv"


@st.cache_resource(max_entries=1, show_spinner=False)
def load_predictor(path: Path, modified: int) -> Predictor:
    """The model in memory, once for all visitors; a new file is loaded anew."""
    return Predictor(load_checkpoint(path))


def show_answer(upload: Upload, key: str, predictor: Predictor, language: Language) -> None:
    """A photo with the probabilities of all species, the likeliest first.

    On request the photo is overlaid with where the model looked. `key` tells its switch from the
    other photos' switches.
    """
    say = partial(text, CLASSIFICATION, language)
    if upload.photo is None:
        st.error(say("unreadable", name=upload.name, reason=say(upload.reason)))
        return
    result = predictor.answer(upload.photo)
    picture, answer = st.columns([2, 3])
    frame = picture.empty()
    shown = upload.photo
    if picture.toggle(say("attention"), key=f"attention {key}", help=say("attention_help")):
        strength = picture.slider(
            say("attention_strength"), 0, 100, 70, format="%d%%", key=f"strength {key}"
        )
        shown = overlay(shown, attention_map(predictor.model, shown), strength / 100)
    frame.image(shown, caption=upload.name, width="stretch")
    if result.is_none_of_these:
        answer.subheader(say("none_of_these", count=len(result.probabilities)))
        answer.markdown(say("none_of_these_why", species=common_name(result.species, language)))
    else:
        name = common_name(result.species, language)
        answer.subheader(f"{name} — {percent(result.probability, language)}")
        answer.markdown(f"*{result.species}*")
    for name, share in result.probabilities.items():
        label = f"{common_name(name, language)} (*{name}*) — {percent(share, language)}"
        answer.progress(share, text=label)


def main() -> None:
    st.set_page_config(page_title="Panthera Vision", page_icon="🐆", layout="wide")
    language = language_choice(st, CLASSIFICATION)
    say = partial(text, CLASSIFICATION, language)
    st.title(say("title"))
    try:
        modified = MODEL.stat().st_mtime_ns if MODEL.exists() else 0
        predictor = load_predictor(MODEL, modified)
    except UserError as problem:
        st.warning(say("no_model", problem=problem))
        st.subheader(say("what_to_run"))
        st.markdown(say("no_model_help"))
        return
    model = predictor.model
    if model.training.get("synthetic_photos"):
        st.info(say("synthetic"))
    st.markdown(say("intro"))
    files = st.file_uploader(
        say("upload_many"), type=UPLOAD_TYPES, accept_multiple_files=True, help=say("privacy")
    )
    for file in files:
        upload = take_upload(file.name, file.getvalue())
        show_answer(upload, file.file_id, predictor, language)
    with st.sidebar.expander(say("about")):
        accuracy = model.training.get("validation_accuracy")
        st.markdown(
            say(
                "about_text",
                backbone=model.backbone,
                species=len(model.class_names),
                accuracy="—" if accuracy is None else percent(accuracy, language),
                fingerprint=model.fingerprint[:12],
            )
        )
    show_data_note(st, CLASSIFICATION, language, CREDITS)


main()
