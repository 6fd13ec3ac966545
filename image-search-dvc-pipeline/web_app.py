"""Run the search app on this pipeline: `streamlit run web_app.py`."""

from pathlib import Path

from panthera_vision.ui.start import open_app

open_app("search", Path(__file__).resolve().parent)
