"""Which photos of the collection look most like this one? `streamlit run web_app.py`"""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from panthera_vision.apps.captions import license_label
from panthera_vision.apps.data_note import show_data_note
from panthera_vision.apps.intake import UPLOAD_TYPES, take_upload
from panthera_vision.apps.language import language_choice
from panthera_vision.apps.texts import SEARCH, number, plain, text
from panthera_vision.credits import license_url
from panthera_vision.errors import UserError
from panthera_vision.models.checkpoint import load_checkpoint
from panthera_vision.models.inference import Predictor
from panthera_vision.photo_table import photo_path
from panthera_vision.photos.decoding import PhotoError, read_photo
from panthera_vision.search.index import INDEX_FILES, PhotoIndex, load_index
from panthera_vision.taxa import Language, common_name

PIPELINE = Path(__file__).resolve().parent
MODEL = PIPELINE / "model_weights" / "best_model.pth"
INDEX = PIPELINE / "faiss_index"
CREDITS = PIPELINE / "results" / "CREDITS.csv"
# Photos lie in this pipeline's folder, or are the classification pipeline's.
PHOTO_FOLDERS = tuple(
    folder.resolve()
    for folder in (
        PIPELINE / "data" / "dataset_images",
        PIPELINE.parent / "cv-classification-dvc-pipeline" / "data" / "dataset_images",
    )
)
HITS = 10
# What may stand behind a link: no brackets or blanks that would end it early.
OBSERVATION = re.compile(r"https?://[^\s()<>\[\]\"']+")
COLUMNS = 5


@dataclass(frozen=True)
class Search:
    """A model and the index that it made."""

    predictor: Predictor
    index: PhotoIndex


@st.cache_resource(max_entries=1, show_spinner=False)
def load_search(model: Path, index: Path, modified: tuple[int, ...]) -> Search:
    """Model and index in memory, once for all visitors; new files are loaded anew."""
    photos = load_index(index)
    checkpoint = load_checkpoint(model)
    photos.require_model(checkpoint)
    return Search(Predictor(checkpoint), photos)


def caption(photo: Mapping[Hashable, str], similarity: float, language: Language) -> str:
    """Who, how similar, by whom, under which licence, whom to credit, and where to read on."""
    say = partial(text, SEARCH, language)
    lines = [
        f"**{common_name(photo['species'], language)}** · *{photo['species']}*",
        say("similarity", value=number(similarity, language)),
    ]
    who = " · ".join(plain(word) for word in (photo["observer"], photo["observed_on"]) if word)
    if who:
        lines.append(who)
    licensed = license_label(photo["license"], SEARCH, language)
    terms = license_url(photo["license"])
    lines.append(f"[{licensed}]({terms})" if terms else licensed)
    lines.append(plain(photo["attribution"]))
    if OBSERVATION.fullmatch(photo["observation_url"]):
        lines.append(f"[{say('observation')}]({photo['observation_url']})")
    return "  \n".join(line for line in lines if line)


def show_hits(query: bytes, name: str, language: Language, search: Search) -> None:
    """The uploaded photo and the most similar ones of the collection."""
    say = partial(text, SEARCH, language)
    upload = take_upload(name, query)
    if upload.photo is None:
        st.error(say("unreadable", name=name, reason=say(upload.reason)))
        return
    known = sorted(search.index.table["species"].unique())
    picture, choice = st.columns([1, 3])
    picture.image(upload.photo, caption=say("your_photo"), width="stretch")
    species = choice.multiselect(
        say("species_filter"),
        known,
        format_func=partial(common_name, language=language),
        placeholder=say("all_species"),
    )
    hits = search.index.search(search.predictor.embedding(upload.photo), HITS, species or None)
    if not hits:
        st.info(say("no_hits"))
        return
    st.subheader(say("results", count=len(hits)))
    for start in range(0, len(hits), COLUMNS):
        for hit, cell in zip(hits[start : start + COLUMNS], st.columns(COLUMNS), strict=False):
            photo = search.index.table.iloc[hit.row].to_dict()
            try:
                file = photo_path(photo["file"], PIPELINE, PHOTO_FOLDERS)
                cell.image(read_photo(file), width="stretch")
            except (PhotoError, UserError):
                cell.warning(say("photo_gone"))
            cell.markdown(caption(photo, hit.similarity, language))


def main() -> None:
    st.set_page_config(page_title="Panthera Vision", page_icon="🐆", layout="wide")
    language = language_choice(st, SEARCH)
    say = partial(text, SEARCH, language)
    st.title(say("title"))
    try:
        files = (MODEL, *(INDEX / name for name in INDEX_FILES))
        modified = tuple(file.stat().st_mtime_ns for file in files if file.exists())
        search = load_search(MODEL, INDEX, modified)
    except UserError as problem:
        st.warning(say("no_index", problem=problem))
        st.subheader(say("what_to_run"))
        st.markdown(say("no_index_help"))
        return
    if search.predictor.model.training.get("synthetic_photos"):
        st.info(say("synthetic"))
    st.markdown(say("intro"))
    st.caption(say("collection", count=len(search.index.table)))
    file = st.file_uploader(say("upload_one"), type=UPLOAD_TYPES, help=say("privacy"))
    if file:
        show_hits(file.getvalue(), file.name, language, search)
    show_data_note(st, SEARCH, language, CREDITS)


main()
