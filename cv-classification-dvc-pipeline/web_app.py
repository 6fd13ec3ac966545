"""Run the classification app on this pipeline: `streamlit run web_app.py`."""

from pathlib import Path

from panthera_vision.ui.classification.app import main

main(Path(__file__).resolve().parent)
