"""Both apps on the small demo, driven by Streamlit's AppTest."""

import io
import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from panthera_vision.data.taxonomy import COMMON_NAMES, Language

from ..conftest import SPECIES, draw_photo
from ..translators import CLASSIFICATION, SEARCH
from .conftest import Clone

COMMON_NAMES_OF: dict[Language, list[str]] = {
    language: [COMMON_NAMES[species][language] for species in SPECIES] for language in ("en", "ru")
}


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
        *test.header,
        *test.markdown,
        *test.caption,
        *test.error,
        *test.warning,
    ]
    return "\n".join(part.value for part in parts)


def pictures(test: AppTest) -> list[str]:
    """The addresses of the page's pictures, which are made from their content."""
    return [element.proto.imgs[0].url for element in test.get("image")]


def charts(test: AppTest) -> list[str]:
    """What the page's charts say to those who don't see them."""
    return [element.proto.alt for element in test.get("vega_lite_chart")]


def press(test: AppTest, label: str) -> None:
    (button,) = [button for button in test.button if button.label == label]
    button.click().run()
    assert not test.exception


@pytest.mark.parametrize(("language", "name"), [("en", "Tiger"), ("ru", "Тигр")])
def test_a_photo_gets_a_prediction(made: Clone, language: Language, name: str) -> None:
    test = app(made.classifier, language)
    assert not test.exception
    assert test.title[0].value == CLASSIFICATION[language]("title")
    assert any(CLASSIFICATION[language]("synthetic") in info.value for info in test.info)
    test.sidebar.slider[0].set_value(0)
    test.file_uploader[0].set_value(("a.jpg", jpeg("Panthera tigris"), "image/jpeg")).run()
    assert not test.exception
    told = [test.header[0].value, words(test)]
    known = any(word in told[0] for word in COMMON_NAMES_OF[language])
    assert known or told[0] == CLASSIFICATION[language]("none_of_these", count=5)
    (chart,) = charts(test)
    assert all(f"{word} · " in chart for word in COMMON_NAMES_OF[language])
    assert f"{name} · " in chart
    assert CLASSIFICATION[language]("similar_photos") in [s.value for s in test.header]
    assert words(test).count((language == "en" and "similarity") or "сходство") == 5
    if known:
        test.sidebar.slider[0].set_value(99).run()
        assert test.header[0].value == CLASSIFICATION[language]("unsure")


def test_the_page_recommends_the_threshold_of_the_target_accuracy(made: Clone) -> None:
    file = made.classifier / "results/certainty_metrics.json"
    before = file.read_text()
    found = {"accuracy": 0.99, "threshold": 0.871, "coverage": 0.8}
    try:
        for selective, advice in ((found, "87.1% or more were right; 80.0% of"), (None, None)):
            file.write_text(json.dumps(json.loads(before) | {"selective": selective}))
            test = app(made.classifier, "en")
            assert not test.exception
            captions = [caption.value for caption in test.sidebar.caption]
            assert any(advice in caption for caption in captions) if advice else not captions
    finally:
        file.write_text(before)


def test_an_example_can_be_opened_and_closed(made: Clone) -> None:
    test = app(made.classifier, "ru")
    labels = [button.label for button in test.button]
    assert labels == [f"Пример {number}" for number in range(1, 6)]
    press(test, "Пример 3")
    assert len(charts(test)) == 1
    press(test, CLASSIFICATION["ru"]("other_photos"))
    assert not charts(test)


def test_many_photos_are_shown_as_a_gallery_with_filter_and_table(made: Clone) -> None:
    test = app(made.classifier, "ru")
    files = [
        ("a.jpg", jpeg("Panthera tigris"), "image/jpeg"),
        ("b.jpg", b"<html>", "image/jpeg"),
        ("c.jpg", jpeg("Panthera leo"), "image/jpeg"),
    ]
    test.file_uploader[0].set_value(files).run()
    assert not test.exception
    assert CLASSIFICATION["ru"]("photos_count", count=3) in words(test)
    (error,) = test.error
    assert "b\\.jpg" in error.value
    (unreadable,) = [
        option for option in test.multiselect[0].options if option.startswith("не изображение")
    ]
    test.multiselect[0].set_value(["unreadable"]).run()
    assert unreadable == "не изображение (1)"
    assert CLASSIFICATION["ru"]("photos_count", count=1) in words(test)
    test.multiselect[0].set_value([]).run()
    test.button_group[0].set_value("table").run()
    assert list(test.dataframe[0].value["Файл"]) == ["a.jpg", "b.jpg", "c.jpg"]
    test.button_group[0].set_value("gallery").run()
    [button for button in test.button if button.label == "Открыть"][1].click().run()
    assert not test.exception
    assert len(charts(test)) == 1
    press(test, CLASSIFICATION["ru"]("back_to_all"))
    assert not charts(test)


def test_the_gradcam_heatmap_is_shown_on_request(made: Clone) -> None:
    test = app(made.classifier, "ru")
    test.file_uploader[0].set_value(("a.jpg", jpeg("Panthera tigris"), "image/jpeg")).run()
    assert not test.exception
    (switch,) = [s for s in test.toggle if s.label == CLASSIFICATION["ru"]("attention")]
    as_uploaded = pictures(test)[0]
    switch.set_value(True).run()
    assert not test.exception
    strength = CLASSIFICATION["ru"]("attention_strength")
    (slider,) = [slider for slider in test.slider if slider.label == strength]
    assert pictures(test)[0] != as_uploaded
    slider.set_value(0).run()
    assert not test.exception
    assert pictures(test)[0] == as_uploaded


def test_the_index_of_another_model_shows_no_similar_photos(made: Clone, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(made.folder, clone, symlinks=True, ignore=shutil.ignore_patterns(".dvc"))
    note = clone / "image-search-dvc-pipeline/faiss_index/index.json"
    content = json.loads(note.read_text()) | {"model_fingerprint": "0" * 64}
    note.write_text(json.dumps(content))
    test = app(clone / "cv-classification-dvc-pipeline", "en")
    press(test, "Example 1")
    assert CLASSIFICATION["en"]("no_similar") in words(test)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_search_app_finds_ten_and_filters(made: Clone, language: Language) -> None:
    test = app(made.searcher, language)
    assert not test.exception
    assert test.title[0].value == SEARCH[language]("title")
    test.file_uploader[0].set_value(("a.jpg", jpeg("Panthera leo"), "image/jpeg")).run()
    assert not test.exception
    assert test.header[0].value == SEARCH[language]("results", count=10)
    assert words(test).count("Panthera") == 10
    assert words(test).count("rights reserved") >= 10
    assert "](https://creativecommons.org/licenses/by-nc/4.0/)" in words(test)
    test.multiselect[0].set_value(["Panthera uncia"]).run()
    assert words(test).count("*Panthera uncia*") == 10


def test_the_apps_say_what_to_run_before_the_pipelines_have_run(
    fresh: Clone, tmp_path: Path
) -> None:
    helps = (CLASSIFICATION["ru"]("train_own"), SEARCH["ru"]("no_index_help"))
    for folder, help_text in zip((fresh.classifier, fresh.searcher), helps, strict=True):
        alone = tmp_path / folder.name
        shutil.copytree(folder, alone, dirs_exist_ok=True)
        test = app(alone, "ru")
        assert not test.exception
        assert help_text in words(test)


def test_an_index_of_another_model_is_refused_and_rebuilt_by_repro(made: Clone) -> None:
    note = made.searcher / "faiss_index/index.json"
    text = note.read_text()
    fingerprint = json.loads(text)["model_fingerprint"]
    note.write_text(text.replace(fingerprint, "0" * 64))
    assert "can't be compared" in words(app(made.searcher, "en"))
    made.repro(made.searcher)
    assert json.loads(note.read_text())["model_fingerprint"] == fingerprint
