"""The classification app before the first training, and beside a model of drawings."""

import io
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from panthera_vision.data.taxonomy import Language
from panthera_vision.models.checkpoint import save_checkpoint
from panthera_vision.ui.i18n import LANGUAGES
from panthera_vision.ui.paths import ClassifierPaths

from ..conftest import REPOSITORY, SPECIES, draw_photo
from ..made_search import untrained_model
from ..translators import CLASSIFICATION, QUALITY
from .made_pipeline import write_pipeline


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A pipeline's folder with its app and its settings, nothing run."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    for name in ("web_app.py", "params.yaml"):
        shutil.copy(REPOSITORY / "cv-classification-dvc-pipeline" / name, folder)
    return folder


def save_model(pipeline: Path, synthetic_photos: int) -> None:
    notes = {"synthetic_photos": synthetic_photos}
    save_checkpoint(untrained_model(32, training=notes), pipeline / "models" / "best_model.pth")


def app(pipeline: Path, language: Language) -> AppTest:
    test = AppTest.from_file(str(pipeline / "web_app.py"), default_timeout=120)
    test.query_params["lang"] = language
    test.run()
    assert not test.exception
    return test


def jpeg() -> bytes:
    buffer = io.BytesIO()
    draw_photo("Panthera tigris", 1).save(buffer, "JPEG")
    return buffer.getvalue()


def is_pretrained_note(test: AppTest, language: Language) -> bool:
    """Whether the page says that the network was not trained, with its accuracy."""
    note = CLASSIFICATION[language]("pretrained")
    accuracy = CLASSIFICATION[language].percent(0.941)
    return any(note in info.value and accuracy in info.value for info in test.info)


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_model_the_pretrained_network_answers_and_is_labelled(
    pipeline: Path, language: Language
) -> None:
    test = app(pipeline, language)
    t = CLASSIFICATION[language]
    assert is_pretrained_note(test, language)
    assert not test.warning
    assert not test.sidebar.toggle
    assert t("train_own") in [text.value for text in test.markdown]
    test.file_uploader[0].set_value(("a.jpg", jpeg(), "image/jpeg")).run()
    assert not test.exception
    assert test.header[0].value == t("none_of_these", count=5)  # a drawing
    assert t("no_similar_pretrained") in [text.value for text in test.markdown]


def test_species_of_the_settings_that_it_does_not_know_are_named(pipeline: Path) -> None:
    settings = pipeline / "params.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("- Panthera leo\n", "- Neofelis nebulosa\n", 1), "utf-8")
    test = app(pipeline, "en")
    t = CLASSIFICATION["en"]
    assert [warning.value for warning in test.warning] == [
        t("unknown_species", species="Clouded leopard")
    ]
    assert any(t("pretrained_unmeasured") in info.value for info in test.info)
    for name in SPECIES:
        text = text.replace(f"- {name}\n", "" if name != SPECIES[0] else "- Neofelis nebulosa\n", 1)
    settings.write_text(text, "utf-8")
    (warning,) = app(pipeline, "en").warning
    assert "knows none of Neofelis nebulosa" in warning.value


def test_a_model_of_drawings_offers_the_pretrained_network_in_both_languages(
    pipeline: Path,
) -> None:
    save_model(pipeline, synthetic_photos=3)
    test = app(pipeline, "en")
    t = CLASSIFICATION["en"]
    assert any(t("try_pretrained") in info.value for info in test.info)
    (switch,) = test.sidebar.toggle
    assert switch.label == t("use_pretrained")
    switch.set_value(True).run()
    assert is_pretrained_note(test, "en")
    assert t("train_own") not in [text.value for text in test.markdown]
    test.sidebar.radio[0].set_value("ru").run()
    assert is_pretrained_note(test, "ru")
    (switch,) = test.sidebar.toggle
    assert switch.value
    switch.set_value(False).run()
    assert not is_pretrained_note(test, "ru")
    assert any(CLASSIFICATION["ru"]("synthetic") in info.value for info in test.info)


def test_a_model_of_photos_answers_alone(pipeline: Path) -> None:
    save_model(pipeline, synthetic_photos=0)
    test = app(pipeline, "en")
    assert not test.info
    assert not test.sidebar.toggle


def quality(pipeline: Path, chosen: bool = False) -> AppTest:
    def script(paths: object, chosen: bool) -> None:
        import streamlit as st

        from panthera_vision.ui.classification.quality_page import show_quality_page

        st.session_state["pretrained chosen"] = chosen
        show_quality_page(paths, "en")  # type: ignore[arg-type]

    arguments = (ClassifierPaths(pipeline), chosen)
    test = AppTest.from_function(script, default_timeout=60, args=arguments).run()
    assert not test.exception
    return test


@pytest.mark.slow
def test_the_quality_page_tells_the_two_models_apart(pipeline: Path, tmp_path: Path) -> None:
    assert is_pretrained_note(quality(pipeline), "en")
    trained = tmp_path / "trained"
    write_pipeline(trained)
    save_model(trained, synthetic_photos=4)
    note = QUALITY["en"]("about_trained_model")
    assert note not in [info.value for info in quality(trained).info]
    assert note in [info.value for info in quality(trained, chosen=True).info]
