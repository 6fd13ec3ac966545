"""The sidebar's note on the data: how many photos under which licence, and whose they are."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from panthera_vision.data.credits import count_licenses
from panthera_vision.data.taxonomy import Language
from panthera_vision.errors import UserError
from panthera_vision.ui.captions import license_label
from panthera_vision.ui.i18n import plain, text


def show_data_note(
    page: Any, texts: Mapping[str, Mapping[Language, str]], language: Language, credits: Path
) -> None:
    """Show the photos by licence, with the list of credits to take along.

    Nothing is shown where there is no such list: a model put there by hand comes without one.

    Args:
        page: the `streamlit` module, handed in so that the package needs no Streamlit.
        texts: the app's texts.
        language: of the page.
        credits: the table that the download stage wrote.
    """
    say = partial(text, texts, language)
    if not credits.is_file():
        return
    with page.sidebar.expander(say("about_data")):
        try:
            licenses = count_licenses(credits)
        except UserError as problem:
            page.warning(plain(str(problem)))
            return
        lines = [
            f"- {license_label(code, texts, language)}: {count}"
            for code, count in licenses.most_common()
        ]
        page.markdown("\n".join([say("about_data_text", count=licenses.total()), "", *lines]))
        page.download_button(
            say("take_credits"), credits.read_bytes(), credits.name, "text/csv", on_click="ignore"
        )
