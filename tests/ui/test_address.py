"""The address holds view and filters; a hostile one does no harm."""

from datetime import date

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from panthera_vision.search.filters import FilterColumns, PhotoFilter
from panthera_vision.ui.search.address import parse_filter

TABLE = pd.DataFrame(
    {
        "species": ["Panthera leo", "Panthera onca"],
        "license": ["", "CC-BY"],
        "observer": ["Ann", "Bob"],
        "observed_on": ["2020-01-01", "2021-01-01"],
    }
)


def page() -> None:
    import streamlit as st

    from panthera_vision.search.filters import FilterColumns
    from panthera_vision.ui.i18n import Translator
    from panthera_vision.ui.search.address import VIEWS, read_address, write_address
    from panthera_vision.ui.search.filters import ask_for_filter
    from tests.ui.test_address import TABLE

    columns = FilterColumns(TABLE)
    if read_address(columns):
        st.warning("left out")
    where = ask_for_filter(columns, Translator("search", "en"))
    write_address(VIEWS[0], where)
    st.write(repr(where))


def test_filters_of_the_address_are_filled_in_and_changes_are_written_back() -> None:
    app = AppTest.from_function(page)
    app.query_params["species"] = "panthera_onca"
    app.query_params["license"] = "all-rights-reserved"
    app.query_params["from"] = "2020-06-01"
    app.query_params["photo"] = "17"
    app.run()
    assert not app.exception
    assert not app.warning
    where = PhotoFilter(("Panthera onca",), ("",), (), date(2020, 6, 1))
    assert app.markdown[-1].value == repr(where)
    assert app.query_params["species"] in ("Panthera onca", ["Panthera onca"])
    app.multiselect(key="filter species").set_value(["Panthera leo"]).run()
    assert app.query_params["species"] in ("Panthera leo", ["Panthera leo"])
    app.multiselect(key="filter species").set_value([]).run()
    assert "species" not in app.query_params
    assert app.query_params["photo"] in ("17", ["17"])


def test_unknown_values_are_left_out_with_a_note() -> None:
    app = AppTest.from_function(page)
    app.query_params["species"] = "Felis catus"
    app.query_params["observer"] = "Ann"
    app.query_params["to"] = "yesterday"
    app.run()
    assert not app.exception
    assert [note.value for note in app.warning] == ["left out"]
    assert app.markdown[-1].value == repr(PhotoFilter(observers=("Ann",)))


def test_a_day_that_the_calendar_does_not_offer_is_left_out() -> None:
    app = AppTest.from_function(page)
    app.query_params["from"] = "1900-01-01"
    app.run()
    assert not app.exception
    assert [note.value for note in app.warning] == ["left out"]


@given(
    st.dictionaries(
        st.sampled_from(["species", "license", "observer", "from", "to", "place"]),
        st.lists(st.text(max_size=200), max_size=30),
    )
)
def test_any_address_gives_a_filter(values: dict[str, list[str]]) -> None:
    columns = FilterColumns(TABLE)
    where, _ = parse_filter(values, columns)
    columns.matching_rows(where)
    assert len(where.place) <= 100
