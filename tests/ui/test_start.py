"""An app started without Streamlit says how to start it."""

import subprocess
import sys

import pytest

from ..conftest import REPOSITORY


@pytest.mark.parametrize(
    "pipeline", ["cv-classification-dvc-pipeline", "image-search-dvc-pipeline"]
)
def test_app_started_by_python_says_how_to_start_it(pipeline: str) -> None:
    app = REPOSITORY / pipeline / "web_app.py"
    done = subprocess.run([sys.executable, app], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: start the app with: streamlit run web_app.py"
