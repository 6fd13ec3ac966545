"""Show photos of the collection as cards: the results, and the examples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from panthera_vision.search.index.photo_index import Hit
from panthera_vision.search.results import HitGroup
from panthera_vision.ui.captions import Photo, alt_text, attribution_of, photo_details
from panthera_vision.ui.i18n import Translator, plain
from panthera_vision.ui.paths import SearchPaths
from panthera_vision.ui.search.query import search_with
from panthera_vision.ui.thumbnails import load_thumbnail

COLUMNS = 5
_Item = TypeVar("_Item")
# Photos of any shape are shown whole in frames of one height, so that the texts below line up.
STYLE = """<style>
.st-key-results [data-testid="stImage"] img, .st-key-examples [data-testid="stImage"] img {
  width: 100%; height: 11rem; object-fit: contain; background: rgba(128, 128, 128, 0.12);
}
.st-key-results a, .st-key-results p { overflow-wrap: anywhere; }
.st-key-query [data-testid="stImage"] img { width: 100%; height: 7rem; object-fit: contain; }
@media (max-width: 640px) {
  .st-key-results [data-testid="stImage"] img { height: auto; max-height: 20rem; }
}
</style>"""


@dataclass(frozen=True)
class Gallery:
    """Show photos of the index's `table`."""

    table: pd.DataFrame
    paths: SearchPaths
    t: Translator

    def photo(self, row: int) -> Photo:
        """Return the columns of a photo's row."""
        return {str(name): str(value) for name, value in self.table.iloc[row].items()}

    def show_photo(self, place: DeltaGenerator, row: int) -> None:
        """Show a photo, or why it can't be shown."""
        photo = self.photo(row)
        thumbnail = load_thumbnail(self.paths, photo.get("file", ""))
        if thumbnail is None:
            place.warning(self.t("photo_gone"))
        else:
            words = alt_text(photo, self.t)
            place.image(thumbnail, alt=words, width="stretch")

    def show_results(self, groups: Sequence[HitGroup]) -> None:
        """Show the groups in rows of cards; near-duplicates unfold."""
        with st.container(key="results"):
            for group, cell in _in_cells(groups):
                self._show_card(cell, group.best)
                if group.others and cell.toggle(
                    self.t("more_like_this", count=len(group.others)),
                    key=f"unfold {self.photo(group.best.row)['id']}",
                ):
                    for hit in group.others:
                        self._show_card(cell, hit)

    def _show_card(self, cell: DeltaGenerator, hit: Hit) -> None:
        photo = self.photo(hit.row)
        self.show_photo(cell, hit.row)
        similarity = self.t("similarity", value=self.t.number(hit.similarity))
        cell.progress(min(max(hit.similarity, 0.0), 1.0), text=similarity)
        cell.markdown(photo_details(photo, self.t))
        cell.button(
            self.t("search_with_this"),
            key=f"use {photo['id']}",
            on_click=search_with,
            args=(photo["id"],),
            width="stretch",
            wrap=True,
        )

    def show_examples(self) -> None:
        """Show photos of the collection to begin with, with their credits."""
        st.header(self.t("examples"))
        with st.container(key="examples"):
            for row, cell in _in_cells(choose_example_rows(self.table)):
                photo = self.photo(row)
                self.show_photo(cell, row)
                cell.caption(f"{plain(self.t.species(photo['species']))}. {attribution_of(photo)}")
                cell.button(
                    self.t("choose_example"),
                    key=f"example {photo['id']}",
                    on_click=search_with,
                    args=(photo["id"],),
                    width="stretch",
                    wrap=True,
                )


def _in_cells(items: Sequence[_Item]) -> Iterator[tuple[_Item, DeltaGenerator]]:
    """Lay out items in rows of cells."""
    for start in range(0, len(items), COLUMNS):
        yield from zip(items[start : start + COLUMNS], st.columns(COLUMNS), strict=False)


def choose_example_rows(table: pd.DataFrame, per_species: int = 2) -> list[int]:
    """Return rows spread evenly over each species' photos, always the same ones."""
    rows = []
    for _, of_species in table.groupby("species", sort=True):
        step = max(len(of_species) // per_species, 1)
        rows += of_species.index[step // 2 :: step][:per_species].tolist()
    return rows
