"""The pages about quality and data, on a small pipeline written by hand."""

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from panthera_vision.data.taxonomy import Language
from panthera_vision.ui.i18n import LANGUAGES
from panthera_vision.ui.paths import ClassifierPaths

from ..conftest import draw_photo
from ..translators import DATA, QUALITY
from .made_pipeline import write_pipeline


class Pages:
    """A pipeline's folder with results, and its pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.photos = folder / "data/photos.csv"

    def run(self, page: str, language: Language) -> AppTest:
        def script(name: str, paths: object, language: str) -> None:
            import importlib

            module = importlib.import_module(f"panthera_vision.ui.classification.{name}_page")
            getattr(module, f"show_{name}_page")(paths, language)

        arguments = (page, ClassifierPaths(self.folder), language)
        return AppTest.from_function(script, default_timeout=60, args=arguments).run()


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    write_pipeline(tmp_path)
    return Pages(tmp_path)


def words(test: AppTest) -> str:
    parts = [*test.title, *test.header, *test.markdown, *test.caption]
    return "\n".join(part.value for part in parts)


def alternatives(test: AppTest) -> list[str]:
    return [element.proto.alt for element in test.get("vega_lite_chart")]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_quality_page_shows_figures_mistakes_and_the_model_card(
    pages: Pages, language: Language
) -> None:
    test = pages.run("quality", language)
    assert not test.exception
    assert not test.warning
    accuracy, macro_f1, _ = (metric.value for metric in test.metric)
    assert (accuracy, macro_f1) == {
        "en": ("75.0%", "0.700"),
        "ru": ("75,0\N{NO-BREAK SPACE}%", "0,700"),
    }[language]
    assert QUALITY[language]("not_measured") in words(test)
    percent = QUALITY[language].percent
    for share in (0.6, 0.25, 0.7, 0.9):  # another source, refused there, one photo, encounter
        assert percent(share) in words(test)
    assert "# Model card: lions" in words(test)
    assert len(alternatives(test)) == 3
    assert all(alternatives(test))
    # The mistake is what is shown first, with its author, who may have odd characters.
    assert [box.value for box in test.selectbox] == ["Panthera leo", "Panthera tigris"]
    assert len(test.get("image")) == 1
    assert r"\(c\) Author \*2\*" in words(test)
    assert "(https://www.inaturalist.org/observations/2)" in words(test)


def test_a_cell_is_selected_without_a_pointer(pages: Pages) -> None:
    test = pages.run("quality", "en")
    test.selectbox[0].set_value("Panthera tigris").run()
    assert not test.exception
    assert len(test.get("image")) == 2
    assert words(test).index(r"Author \*4\*") < words(test).index(r"Author \*3\*")
    assert "(https://creativecommons.org/publicdomain/zero/1.0/)" in words(test)
    test.selectbox[1].set_value("Panthera leo").run()
    assert QUALITY["en"]("no_photos_in_cell") in words(test)
    assert not test.get("image")


def test_no_photo_outside_the_photos_folder_is_shown(pages: Pages) -> None:
    draw_photo("Panthera leo", 1).save(pages.folder / "secret.jpg")
    for path in (pages.photos, pages.results / "test_predictions.csv"):
        text = path.read_text().replace("dataset_images/2.jpg", "../secret.jpg")
        path.write_text(text)
    test = pages.run("quality", "en")
    assert not test.exception
    assert not test.get("image")
    assert QUALITY["en"]("photo_gone") in words(test)


def test_photos_are_not_shown_without_their_credits(pages: Pages) -> None:
    pages.photos.unlink()
    test = pages.run("quality", "ru")
    assert not test.exception
    assert not test.get("image")
    assert len(test.warning) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_data_page_shows_counts_map_and_rows_left_out(pages: Pages, language: Language) -> None:
    test = pages.run("data", language)
    assert not test.exception
    assert not test.warning
    by_species, licenses, left_out = (table.value for table in test.table)
    assert list(by_species[DATA[language]("all")]) == [2, 2]
    assert set(licenses[DATA[language]("photos")]) == {1}
    assert list(left_out[DATA[language]("rows")]) == [3, 1]
    help_text = DATA[language]("map_help", count=2, photos=4)
    assert help_text in words(test)
    assert len(alternatives(test)) == 3
    assert all(alternatives(test))


def test_without_coordinates_a_sentence_replaces_the_map(pages: Pages) -> None:
    table = pd.read_csv(pages.photos, dtype=str, keep_default_na=False)
    table.assign(latitude="").to_csv(pages.photos, index=False)
    test = pages.run("data", "ru")
    assert not test.exception
    assert DATA["ru"]("no_map") in words(test)
    assert len(alternatives(test)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, "", "{}", "\N{NULL}\N{NULL}"])
@pytest.mark.parametrize(
    "name",
    [
        "results/evaluation_metrics.json",
        "results/certainty_metrics.json",
        "results/test_predictions.csv",
        "results/preparation_report.json",
        "results/download_outcomes.csv",
        "data/photos.csv",
    ],
)
def test_missing_and_broken_files_give_a_warning_and_no_traceback(
    pages: Pages, name: str, content: str | None
) -> None:
    path = pages.folder / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    warnings = [
        warning.value for page in ("quality", "data") for warning in _run(pages, page).warning
    ]
    assert warnings
    if content is None:
        assert all("dvc repro" in warning for warning in warnings)


def _run(pages: Pages, page: str) -> AppTest:
    test = pages.run(page, "en")
    assert not test.exception
    return test
