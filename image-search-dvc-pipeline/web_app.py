"""Run the search app on this pipeline: `streamlit run web_app.py`."""

from pathlib import Path

from panthera_vision.ui.search.app import main

main(Path(__file__).resolve().parent)
