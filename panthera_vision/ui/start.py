"""Check that an app was started by Streamlit."""

from streamlit import runtime


def require_streamlit() -> None:
    """Exit with one line if the app was started by `python web_app.py`, which shows no page."""
    if not runtime.exists():
        raise SystemExit("error: start the app with: streamlit run web_app.py")
