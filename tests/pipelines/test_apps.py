"""The web apps on the small demo, driven through Streamlit's own test client."""

import io
import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from panthera_vision.apps.texts import CLASSIFICATION, SEARCH
from panthera_vision.taxa import Language

from ..conftest import draw_photo
from .conftest import Clone


def app(folder: Path, language: str) -> AppTest:
    test = AppTest.from_file(str(folder / "web_app.py"), default_timeout=120)
    test.query_params["lang"] = language
    return test.run()


def jpeg(species: str) -> bytes:
    buffer = io.BytesIO()
    draw_photo(species, 1).save(buffer, "JPEG")
    return buffer.getvalue()


def words(test: AppTest) -> str:
    parts = [
        *test.title,
        *test.subheader,
        *test.markdown,
        *test.caption,
        *test.error,
        *test.warning,
    ]
    return "\n".join(part.value for part in parts)


def pictures(test: AppTest) -> list[str]:
    """The addresses of the page's pictures, which are made from their content."""
    return [element.proto.imgs[0].url for element in test.get("image")]


@pytest.mark.parametrize(("language", "name"), [("en", "Tiger"), ("ru", "Тигр")])
def test_the_classification_app_answers_and_refuses(
    made: Clone, language: Language, name: str
) -> None:
    test = app(made.classifier, language)
    assert not test.exception
    assert test.title[0].value == CLASSIFICATION["title"][language]
    assert CLASSIFICATION["synthetic"][language] in [info.value for info in test.info]
    files = [("a.jpg", jpeg("Panthera tigris"), "image/jpeg"), ("b.jpg", b"<html>", "image/jpeg")]
    test.file_uploader[0].set_value(files).run()
    assert not test.exception
    assert test.subheader[0].value.endswith("%")
    assert len(test.error) == 1
    bars = [element.proto.text for element in test.get("progress")]
    assert len(bars) == 5
    assert any(bar.startswith(f"{name} (*Panthera tigris*)") for bar in bars)
    assert CLASSIFICATION["about_data_text"][language].format(count=60) in words(test)


def test_the_classification_app_shows_on_request_where_the_model_looked(made: Clone) -> None:
    test = app(made.classifier, "ru")
    files = [(name, jpeg("Panthera tigris"), "image/jpeg") for name in ("a.jpg", "b.jpg")]
    test.file_uploader[0].set_value(files).run()
    assert not test.exception
    assert [switch.label for switch in test.toggle] == [CLASSIFICATION["attention"]["ru"]] * 2
    assert not test.slider
    as_uploaded = pictures(test)
    test.toggle[1].set_value(True).run()
    assert not test.exception
    assert [slider.label for slider in test.slider] == [CLASSIFICATION["attention_strength"]["ru"]]
    overlaid = pictures(test)
    assert overlaid[0] == as_uploaded[0]
    assert overlaid[1] != as_uploaded[1]
    test.slider[0].set_value(0).run()
    assert not test.exception
    assert pictures(test) == as_uploaded
    test.toggle[1].set_value(False).run()
    assert not test.slider


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_search_app_finds_ten_and_filters(made: Clone, language: Language) -> None:
    test = app(made.searcher, language)
    assert not test.exception
    assert test.title[0].value == SEARCH["title"][language]
    test.file_uploader[0].set_value(("a.jpg", jpeg("Panthera leo"), "image/jpeg")).run()
    assert not test.exception
    assert test.subheader[0].value == SEARCH["results"][language].format(count=10)
    assert words(test).count("Panthera") == 10
    assert words(test).count("rights reserved") >= 10
    assert "](https://creativecommons.org/licenses/by-nc/4.0/)" in words(test)
    test.multiselect[0].set_value(["Panthera uncia"]).run()
    assert words(test).count("*Panthera uncia*") == 10


def test_the_apps_say_what_to_run_where_nothing_is_made(fresh: Clone, tmp_path: Path) -> None:
    for folder, texts in ((fresh.classifier, CLASSIFICATION), (fresh.searcher, SEARCH)):
        alone = tmp_path / folder.name
        alone.mkdir()
        shutil.copy(folder / "web_app.py", alone)
        test = app(alone, "ru")
        assert not test.exception
        help_text = texts["no_model_help" if texts is CLASSIFICATION else "no_index_help"]["ru"]
        assert help_text in words(test)


def test_another_model_is_refused_by_the_app_and_put_right_by_repro(made: Clone) -> None:
    note = made.searcher / "faiss_index/index.json"
    text = note.read_text()
    fingerprint = json.loads(text)["model_fingerprint"]
    note.write_text(text.replace(fingerprint, "0" * 64))
    assert "can't be compared" in words(app(made.searcher, "en"))
    made.repro(made.searcher)
    assert json.loads(note.read_text())["model_fingerprint"] == fingerprint
