"""The classification app takes a detector's file beside the photos."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from panthera_vision.inference.predictor import Predictor
from panthera_vision.ui.classification.detections import with_boxes
from panthera_vision.ui.classification.prediction_cache import (
    Classified,
    PhotoFile,
    classify,
    label_of,
    to_csv,
)
from panthera_vision.ui.detections import read_detections
from panthera_vision.ui.i18n import LANGUAGES, load_texts
from panthera_vision.ui.uploads import decode_upload

from ..conftest import SPECIES
from ..detections.made_detections import animal_of, detection, write_json
from ..made_search import untrained_model


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(untrained_model(32))


@pytest.fixture
def files(tmp_path: Path) -> list[PhotoFile]:
    """Three uploads, whose files are `IMG_0.JPG` to `IMG_2.JPG`."""
    made = []
    for number in range(3):
        animal_of(number, (100, 75, 200, 150), tmp_path, f"IMG_{number}.JPG")
        path = tmp_path / f"IMG_{number}.JPG"
        made.append(PhotoFile(f"key {number}", path.name, path.read_bytes))
    return made


def boxes_of(files: list[PhotoFile], tmp_path: Path) -> tuple[list[PhotoFile], list[str]]:
    images = [
        {
            "file": "D:\\study\\cam1\\img_0.jpg",
            "detections": [detection(0.9), detection(0.8, category="2"), detection("0.9")],
        },
        {"file": "cam1/IMG_1.JPG", "detections": [detection(0.1)]},
        {"file": "cam1/IMG_2.JPG", "detections": [detection()]},
        {"file": "cam2/IMG_2.JPG", "detections": []},
    ]
    path = write_json(tmp_path / "md.json", images)
    uploaded = read_detections("md.json", path.read_bytes())
    assert uploaded.source is not None
    return with_boxes(files, uploaded.source)


def test_each_box_is_classified_by_itself_and_a_person_is_not(
    predictor: Predictor, files: list[PhotoFile], tmp_path: Path
) -> None:
    boxes, without = boxes_of(files, tmp_path)
    assert without == ["IMG_2.JPG"]  # two cameras have a photo of this name
    photos = classify(boxes, predictor, {})
    assert [photo.name for photo in photos] == [
        *("IMG_0.JPG · 1", "IMG_0.JPG · 2", "IMG_0.JPG · 3", "IMG_1.JPG", "IMG_2.JPG")
    ]
    labels = [label_of(photo, 0.0) for photo in photos]
    assert labels[0] in SPECIES and labels[4] in SPECIES
    assert labels[1:4] == ["person", "unreadable", "blank"]
    assert photos[2].reason == "invalid confidence"
    rows = list(csv.DictReader(io.StringIO(to_csv(photos, predictor).decode("utf-8-sig"))))
    assert [row["answer"] for row in rows[1:4]] == ["person", "", "blank"]
    assert (rows[0]["x"], rows[0]["detection_category"]) == ("0.25", "animal")
    assert rows[1]["species"] == rows[4]["x"] == ""


def test_the_box_is_drawn_on_the_photo_and_the_network_sees_what_is_in_it(
    predictor: Predictor, files: list[PhotoFile], tmp_path: Path
) -> None:
    boxes, _ = boxes_of(files, tmp_path)
    animal = classify(boxes[:1], predictor, {})[0]
    with Image.open(io.BytesIO(animal.thumbnail)) as thumbnail:
        red, green, blue = thumbnail.convert("RGB").getpixel((200, 75))  # type: ignore[misc]
    assert min(red, green) > 150 > blue  # yellow, on the upper edge of the box
    upload = decode_upload("IMG_0.JPG", files[0].read(), boxes[0].box)
    assert upload.photo is not None and upload.photo.size == (260, 260)
    assert animal.prediction is not None
    seen = predictor.predict_image(upload.photo)
    assert animal.prediction.probabilities == pytest.approx(seen.probabilities, abs=1e-4)


def test_another_file_of_the_detector_classifies_the_photos_again(
    predictor: Predictor, files: list[PhotoFile], tmp_path: Path
) -> None:
    cached: dict[str, Classified] = {}
    classify(files[:1], predictor, cached)
    boxes, _ = boxes_of(files[:1], tmp_path)
    moved = replace(boxes[0], key=boxes[0].key + "moved")
    for shown in (boxes, [moved]):
        photos = classify(shown, predictor, cached)
        keys = [file.key for file in shown]
        assert [photo.key for photo in photos] == keys
        assert sorted(cached) == sorted(keys)


def test_a_file_that_is_none_of_a_detector_is_refused_with_a_reason() -> None:
    for content in (b"", b"[]", b"\xff\xfe{", b'{"images": [}'):
        uploaded = read_detections("x.json", content)
        assert uploaded.source is None and uploaded.problem.startswith("x.json is no")


def test_the_reasons_of_a_detectors_boxes_are_translated() -> None:
    reasons = ("detector failed", "no detections given", "too many boxes", "invalid box")
    reasons += ("box without area", "box outside the photo", "invalid confidence", "video")
    for language in LANGUAGES:
        assert {*reasons, "unknown category"} <= set(load_texts(language)["reasons"])


def test_the_search_takes_one_animal_of_the_photo_and_draws_its_box(
    files: list[PhotoFile], tmp_path: Path
) -> None:
    def page(content: bytes, detector: bytes) -> None:
        import streamlit as st

        from panthera_vision.ui.detections import read_detections
        from panthera_vision.ui.i18n import Translator
        from panthera_vision.ui.search.animal import choose_animal
        from panthera_vision.ui.uploads import decode_upload, shown_photo

        if "upload" not in st.session_state:
            st.session_state["upload"] = decode_upload("img_0.jpg", content)
            st.session_state["detections"] = read_detections("md.json", detector)
        upload = st.session_state["upload"]
        chosen = choose_animal(upload, content, Translator("search", "ru"))
        assert chosen is not None and chosen.photo is not None
        # The same object in the next run: what was computed of it is kept.
        assert st.session_state.setdefault("chosen", chosen) is chosen
        shown = shown_photo(chosen)
        assert shown is not None
        st.text(f"{chosen.photo.size} {shown.size}")

    images = [{"file": "cam1/IMG_0.JPG", "detections": [detection(category="2"), detection()]}]
    detector = write_json(tmp_path / "md.json", images).read_bytes()
    arguments = (files[0].read(), detector)
    test = AppTest.from_function(page, default_timeout=60, args=arguments).run()
    for _ in range(2):
        assert not test.exception
        assert [text.value for text in test.text] == ["(260, 260) (400, 300)"]
        test.run()
