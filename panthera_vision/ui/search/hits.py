"""The page's results: cards of photos with all that is known of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from panthera_vision.data.taxonomy import Language
from panthera_vision.search.index.photo_index import Hit
from panthera_vision.search.results import HitGroup
from panthera_vision.ui.i18n import SEARCH, number, text
from panthera_vision.ui.search.state import search_with
from panthera_vision.ui.search.wording import credit_line, details, picture_words

COLUMNS = 5
# Photos of any shape stand in frames of one height, whole; the words below them are in line.
STYLE = """<style>
.st-key-results [data-testid="stImage"] img, .st-key-examples [data-testid="stImage"] img {
  width: 100%; height: 11rem; object-fit: contain; background: rgba(128, 128, 128, 0.12);
}
.st-key-results a, .st-key-results p { overflow-wrap: anywhere; }
@media (max-width: 640px) {
  .st-key-results [data-testid="stImage"] img { height: auto; max-height: 20rem; }
}
</style>"""


@dataclass(frozen=True)
class Gallery:
    """What cards are made with.

    Attributes:
        page: the `streamlit` module, handed in so that the package needs no Streamlit.
        table: the index's photos.
        thumbnail: a photo's file in the table → a small JPEG, or None where it is gone.
        language: of the page.
    """

    page: Any
    table: pd.DataFrame
    thumbnail: Callable[[str], bytes | None]
    language: Language

    def photo(self, row: int) -> Mapping[str, str]:
        """What the table says of a photo."""
        return {str(name): str(value) for name, value in self.table.iloc[row].items()}

    def show_photo(self, place: Any, row: int, caption: str | None = None) -> None:
        """A photo, or a word about why it is not there."""
        photo = self.photo(row)
        picture = self.thumbnail(photo.get("file", ""))
        if picture is None:
            place.warning(text(SEARCH, self.language, "photo_gone"))
            return
        words = picture_words(photo, self.language)
        place.image(picture, caption=caption, alt=words, width="stretch")


def show_results(gallery: Gallery, hits: Sequence[HitGroup]) -> None:
    """All hits, in rows of cards."""
    page = gallery.page
    with page.container(key="results"):
        for start in range(0, len(hits), COLUMNS):
            cells = page.columns(COLUMNS)
            for folded, cell in zip(hits[start : start + COLUMNS], cells, strict=False):
                _show_hit(gallery, cell, folded)


def _show_hit(gallery: Gallery, cell: Any, folded: HitGroup) -> None:
    say = partial(text, SEARCH, gallery.language)
    _show_card(gallery, cell, folded.best)
    if not folded.others:
        return
    unfold = cell.toggle(
        say("more_like_this", count=len(folded.others)),
        key=f"unfold {gallery.photo(folded.best.row)['id']}",
    )
    if unfold:
        for hit in folded.others:
            _show_card(gallery, cell, hit)


def _show_card(gallery: Gallery, cell: Any, hit: Hit) -> None:
    say = partial(text, SEARCH, gallery.language)
    photo = gallery.photo(hit.row)
    gallery.show_photo(cell, hit.row)
    similarity = say("similarity", value=number(hit.similarity, gallery.language))
    cell.progress(min(max(hit.similarity, 0.0), 1.0), text=similarity)
    cell.markdown(details(photo, gallery.language))
    cell.button(
        say("search_with_this"),
        key=f"use {photo['id']}",
        on_click=search_with,
        args=(gallery.page, photo["id"]),
        width="stretch",
    )


def example_rows(table: pd.DataFrame, each: int = 2) -> list[int]:
    """Rows to choose from: `each` of every species, spread over the collection, always the same."""
    rows = []
    for _, of_species in table.groupby("species", sort=True):
        step = max(len(of_species) // each, 1)
        rows += of_species.index[step // 2 :: step][:each].tolist()
    return rows


def show_examples(gallery: Gallery) -> None:
    """Photos of the collection to begin with, each with whose it is."""
    say = partial(text, SEARCH, gallery.language)
    page = gallery.page
    page.header(say("examples"))
    rows = example_rows(gallery.table)
    with page.container(key="examples"):
        for start in range(0, len(rows), COLUMNS):
            cells = page.columns(COLUMNS)
            for row, cell in zip(rows[start : start + COLUMNS], cells, strict=False):
                photo = gallery.photo(row)
                gallery.show_photo(cell, row)
                cell.caption(credit_line(photo, gallery.language))
                cell.button(
                    say("choose_example"),
                    key=f"example {photo['id']}",
                    on_click=search_with,
                    args=(page, photo["id"]),
                    width="stretch",
                )
