"""Show the sidebar's note on the data: photos by license, and the credits to download."""

from collections import Counter
from pathlib import Path

import streamlit as st

from panthera_vision.data.credits import CREDITS_FILE, count_licenses
from panthera_vision.errors import UserError
from panthera_vision.ui.captions import license_label
from panthera_vision.ui.i18n import Translator, plain


def show_credits_note(results: Path, t: Translator) -> None:
    """Show the photos by license; nothing if `results` has no credits, as with a copied model."""
    credits = results / CREDITS_FILE
    if not credits.is_file():
        return
    with st.sidebar.expander(t("about_data")):
        try:
            licenses = _count_licenses(credits, credits.stat().st_mtime_ns)
        except UserError as problem:
            st.warning(plain(str(problem)))
            return
        counts = [f"- {license_label(code, t)}: {n}" for code, n in licenses.most_common()]
        st.markdown("\n".join([t("about_data_text", count=licenses.total()), "", *counts]))
        download_credits(credits, t)


def download_credits(credits: Path, t: Translator) -> None:
    """Show the button that downloads the list of authors and licenses.

    Raises:
        FileNotFoundError: there is none.
    """
    if not credits.is_file():
        raise FileNotFoundError(credits)
    # Read when it is asked for: of a million photos, it has 200 MB.
    st.download_button(
        t("take_credits"), credits.read_bytes, credits.name, "text/csv", on_click="ignore"
    )


@st.cache_data(max_entries=4, show_spinner=False)
def _count_licenses(credits: Path, modified: int) -> Counter[str]:
    """Count the photos by license, once for all visitors until the file changes."""
    return count_licenses(credits)
