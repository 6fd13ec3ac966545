"""The web apps; the only package that imports Streamlit and Altair."""
