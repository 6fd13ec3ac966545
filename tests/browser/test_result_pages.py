"""The pages on quality and data in a real browser: what only a pointer and a narrow screen show."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from panthera_vision.apps.texts import DATA, QUALITY
from panthera_vision.taxa import Language

from ..apps.made_pipeline import write_pipeline
from ..conftest import REPOSITORY

_CHROMIUM = Path("/usr/bin/chromium")
_WAIT = 60_000
_SCRIPT = """
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, {pipeline!r})
import streamlit as st
from classifier_pages import loaded

made = Path({made!r})
loaded.PIPELINE, loaded.RESULTS = made, made / "results"
loaded.PHOTOS, loaded.PHOTO_FOLDER = made / "data/photos.csv", made / "data/dataset_images"
loaded.MODEL = made / "models/best_model.pth"
from classifier_pages.data_page import show_data
from classifier_pages.quality_page import show_quality

st.set_page_config(layout="wide")
show = show_data if st.query_params.get("page") == "data" else show_quality
show(st.query_params["lang"])
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = _CHROMIUM if _CHROMIUM.exists() else None
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error:
            pytest.skip("no Chromium: neither /usr/bin/chromium nor Playwright's own")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pages")
    write_pipeline(folder)
    script = folder / "app.py"
    pipeline = str(REPOSITORY / "cv-classification-dvc-pipeline")
    script.write_text(_SCRIPT.format(pipeline=pipeline, made=str(folder)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *options],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(120):
        assert server.poll() is None, "the server has ended"
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    raise AssertionError("the server does not answer")


@pytest.fixture
def narrow(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 375, "height": 800})
    page.set_default_timeout(_WAIT)
    yield page
    page.close()


def test_a_click_on_a_cell_of_the_matrix_shows_its_photos(narrow: Page, address: str) -> None:
    narrow.goto(f"{address}/?lang=en")
    photos = narrow.get_by_test_id("stImage")
    cells = narrow.get_by_test_id("stVegaLiteChart").first.locator("g.mark-rect path")
    expect(cells).to_have_count(4, timeout=_WAIT)
    expect(photos).to_have_count(1, timeout=_WAIT)  # the only mistake
    # Its number lies above it.
    cells.nth(3).click(force=True)
    expect(photos).to_have_count(2, timeout=_WAIT)
    # The lists follow, and lead back.
    predicted = narrow.get_by_test_id("stSelectbox").nth(1).locator("input")
    expect(predicted).to_have_value("Tiger")
    expect(narrow.locator("[data-test-script-state=notRunning]")).to_be_visible(timeout=_WAIT)
    predicted.press("ArrowUp")
    expect(narrow.get_by_role("option", name="Lion")).to_be_visible()
    predicted.press("Enter")
    expect(narrow.get_by_text(QUALITY["no_photos_in_cell"]["en"])).to_be_visible(timeout=_WAIT)
    cells.nth(3).click(force=True)
    expect(photos).to_have_count(2, timeout=_WAIT)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("name", ["quality", "data"])
def test_nothing_is_cut_off_on_a_telephone(
    narrow: Page, address: str, name: str, language: Language
) -> None:
    narrow.goto(f"{address}/?lang={language}&page={name}")
    title = (QUALITY if name == "quality" else DATA)["title"][language]
    expect(narrow.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=_WAIT)
    expect(narrow.locator("svg.marks")).to_have_count(3, timeout=_WAIT)
    expect(narrow.get_by_test_id("stTable").last).to_be_visible()
    cut_off = narrow.evaluate(
        """() => [...document.querySelectorAll("h1, h2, h3, p, td, th, svg.marks, img, button")]
            .filter(element => element.checkVisibility() && !element.closest("details"))
            .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
            .map(element => `${element.tagName} ${element.textContent.slice(0, 60)}`)"""
    )
    assert cut_off == []
