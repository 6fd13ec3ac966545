"""How the apps start: without Streamlit, and while the model is being loaded."""

import gc
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from panthera_vision.ui import start
from panthera_vision.ui.i18n import Translator

from ..conftest import REPOSITORY


def open_search_app(folder: str) -> None:
    """A page's script."""
    from pathlib import Path

    from panthera_vision.ui.start import open_app

    open_app("search", Path(folder))


@pytest.mark.parametrize(
    "pipeline", ["cv-classification-dvc-pipeline", "image-search-dvc-pipeline"]
)
def test_app_started_by_python_says_how_to_start_it(pipeline: str) -> None:
    app = REPOSITORY / pipeline / "web_app.py"
    done = subprocess.run([sys.executable, app], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: start the app with: streamlit run web_app.py"


def test_the_start_of_an_app_imports_nothing_that_takes_seconds() -> None:
    program = (
        "import sys, panthera_vision.ui.start; "
        "print({'torch', 'pandas', 'faiss', 'sklearn', 'matplotlib'} & {*sys.modules})"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_the_app_has_loaded_is_not_gone_through_after_every_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit collects garbage after each run: with PyTorch loaded, that took 0.3 s."""
    app = SimpleNamespace(load=lambda pipeline: None, main=lambda pipeline, language: None)
    monkeypatch.setattr(start, "_loaded", set())
    monkeypatch.setattr(start, "require_streamlit", lambda: None)
    monkeypatch.setattr(start.importlib, "import_module", lambda name: app)
    gc.unfreeze()
    AppTest.from_function(open_search_app, args=(str(tmp_path),)).run()
    assert gc.get_freeze_count() > 100_000
    gc.unfreeze()


def test_the_first_page_says_that_the_model_is_being_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is there while the app loads, and gone afterwards, also for the next visitor."""
    seen: list[str] = []

    class App:
        @staticmethod
        def load(pipeline: Path) -> None:
            seen.append(f"load {pipeline.name}")

        @staticmethod
        def main(pipeline: Path, language: str) -> None:
            st.title(f"ready in {language}")

    monkeypatch.setattr(start, "_loaded", set())
    monkeypatch.setattr(start, "require_streamlit", lambda: None)
    monkeypatch.setattr(start.importlib, "import_module", lambda name: App)
    notice = st.delta_generator.DeltaGenerator.info
    monkeypatch.setattr(
        st.delta_generator.DeltaGenerator,
        "info",
        lambda place, body, **rest: (seen.append(body), notice(place, body, **rest))[1],
    )

    for _ in range(2):
        page = AppTest.from_function(open_search_app, args=(str(tmp_path),)).run()
        assert not page.exception
        assert page.title[0].value == "ready in en"
        assert not page.info
    assert seen == [Translator("shared", "en")("loading"), f"load {tmp_path.name}"]
