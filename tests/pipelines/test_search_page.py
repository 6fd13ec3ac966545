"""The search app on the small demo, driven by Streamlit's AppTest."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from panthera_vision.data.photo_table import write_table
from panthera_vision.io.atomic import sha256_of_file

from ..conftest import draw_photo
from ..translators import SEARCH
from .conftest import Clone


@pytest.fixture
def page(made: Clone) -> AppTest:
    return opened(made)


@pytest.fixture
def restored(made: Clone) -> Iterator[Clone]:
    """The clone, with the index, the map and the photos put back after the test."""
    kept = made.folder.parent / "kept"
    folders = ("faiss_index", "results")
    for name in folders:
        shutil.copytree(made.searcher / name, kept / name)
    yield made
    for name in folders:
        shutil.rmtree(made.searcher / name)
        shutil.move(kept / name, made.searcher / name)


def opened(made: Clone, **address: str) -> AppTest:
    test = AppTest.from_file(str(made.searcher / "web_app.py"), default_timeout=120)
    for key, value in {"lang": "en", **address}.items():
        test.query_params[key] = value
    test.run()
    assert not test.exception
    return test


def photos_of(made: Clone) -> pd.DataFrame:
    return pd.read_csv(made.searcher / "faiss_index/photos.csv", dtype=str, keep_default_na=False)


def found(test: AppTest) -> list[str]:
    """The numbers of the results."""
    keys = [str(button.key) for button in test.button]
    return [key.removeprefix("use ") for key in keys if key.startswith("use ")]


def press(test: AppTest, label: str) -> None:
    next(button for button in test.button if button.label == label).click()
    test.run()
    assert not test.exception


def asked(test: AppTest) -> str:
    value = test.query_params.get("photo", "")
    return value[0] if isinstance(value, list) else value


def messages(test: AppTest) -> list[str]:
    return [part.value for part in (*test.warning, *test.error, *test.info)]


def test_examples_cover_all_species_and_results_lead_on_and_back(
    made: Clone, page: AppTest
) -> None:
    table = photos_of(made).set_index("id")
    examples = [str(b.key).split()[1] for b in page.button if str(b.key).startswith("example ")]
    assert table.loc[examples, "species"].value_counts().to_dict() == dict.fromkeys(
        table["species"].unique(), 2
    )
    page.button(key=f"example {examples[0]}").click().run()
    assert asked(page) == examples[0]
    first = found(page)
    assert len(first) == 10
    assert examples[0] not in first
    page.button(key=f"use {first[3]}").click().run()
    assert asked(page) == first[3]
    assert first[3] not in found(page)
    press(page, SEARCH["en"]("back"))
    assert asked(page) == examples[0]
    assert found(page) == first
    press(page, SEARCH["en"]("back"))
    assert asked(page) == ""
    assert not found(page)


def test_an_address_leads_to_its_photo_and_a_wrong_one_says_so(made: Clone) -> None:
    photo = photos_of(made)["id"][7]
    test = opened(made, photo=photo)
    assert len(found(test)) == 10
    for wrong in ("1", "../../etc/passwd", "x" * 500, "<b>"):
        test = opened(made, photo=wrong)
        assert SEARCH["en"]("unknown_photo") in messages(test)
        assert not found(test)


def test_an_upload_survives_other_queries_and_the_map(page: AppTest) -> None:
    buffer = io.BytesIO()
    draw_photo("Panthera leo", 1).save(buffer, "JPEG")
    page.file_uploader[0].set_value(("my_cat.jpg", buffer.getvalue(), "image/jpeg")).run()
    own = found(page)
    assert len(own) == 10
    page.button(key=f"use {own[0]}").click().run()
    assert asked(page) == own[0]
    press(page, SEARCH["en"]("back"))
    assert found(page) == own
    page.button_group(key="view").set_value("view_map").run()
    assert not page.exception
    assert SEARCH["en"]("map_query_guess") in [words.value for words in page.markdown]
    page.button_group(key="view").set_value("view_search").run()
    assert found(page) == own
    press(page, SEARCH["en"]("start_anew"))
    assert not found(page)
    assert page.file_uploader[0].value is None


def test_filters_combine_and_still_return_all_matches(made: Clone) -> None:
    table = photos_of(made)
    test = opened(made, photo=table["id"][0])
    test.toggle(key="group duplicates").set_value(False).run()
    test.slider(key="count").set_value(50).run()
    assert len(found(test)) == 50
    test.text_input(key="filter place").set_value("ladakh").run()
    test.multiselect(key="filter licenses").set_value(["CC-BY-NC"]).run()
    passing = table[(table["species"] == "Panthera uncia") & (table["license"] == "CC-BY-NC")]
    assert sorted(found(test)) == sorted(set(passing["id"]) - {table["id"][0]})
    observer = passing["observer"].iloc[0]
    test.multiselect(key="filter observers").set_value([observer]).run()
    assert sorted(found(test)) == sorted(passing["id"][passing["observer"] == observer])
    test.text_input(key="filter place").set_value("nowhere at all").run()
    assert SEARCH["en"]("no_hits") in messages(test)
    press(test, SEARCH["en"]("clear_filters"))
    assert len(found(test)) == 50


def test_near_duplicates_are_grouped_and_unfold(restored: Clone) -> None:
    file, note = (restored.searcher / "faiss_index" / name for name in ("photos.csv", "index.json"))
    table = photos_of(restored)
    twins = table.index[table["species"] == "Panthera uncia"][:3]
    table.loc[twins, "duplicate_group"] = table["duplicate_group"][twins[0]]
    write_table(table, file)
    content = json.loads(note.read_text())
    note.write_text(json.dumps({**content, "table_sha256": sha256_of_file(file)}))
    test = opened(restored, photo=table["id"][0])
    test.multiselect(key="filter species").set_value(["Panthera uncia"]).run()
    folded = set(found(test))
    assert len(folded & set(table["id"][twins])) == 1
    (toggle,) = [toggle for toggle in test.toggle if str(toggle.key).startswith("unfold")]
    assert toggle.label == SEARCH["en"]("more_like_this", count=2)
    toggle.set_value(True).run()
    assert not test.exception
    assert set(found(test)) == folded | set(table["id"][twins])


def test_a_foreign_or_truncated_index_and_a_lost_map_say_what_to_run(restored: Clone) -> None:
    test = opened(restored)
    (restored.searcher / "results/collection_map.csv").unlink()
    test.button_group(key="view").set_value("view_map").run()
    assert not test.exception
    assert SEARCH["en"]("no_map") in messages(test)
    vectors = restored.searcher / "faiss_index/vector_index.bin"
    vectors.write_bytes(vectors.read_bytes()[:1000])
    broken = opened(restored)
    assert {SEARCH["en"]("damaged_index"), SEARCH["en"]("earlier_index")} & set(messages(broken))
    assert any(r"vector\_index" in words.value for words in broken.caption)


def test_a_missing_photo_file_is_reported(made: Clone) -> None:
    table = photos_of(made)
    photo = Path(made.searcher, "faiss_index", table["file"][3])
    content = photo.read_bytes()
    photo.unlink()
    try:
        assert SEARCH["en"]("photo_gone") in messages(opened(made, photo=table["id"][3]))
    finally:
        photo.write_bytes(content)
    assert SEARCH["en"]("photo_gone") not in messages(opened(made, photo=table["id"][3]))
