"""What the browser gets does not grow with the collection."""

import numpy as np
import pandas as pd
import pyarrow as pa
from streamlit.testing.v1 import AppTest

from panthera_vision.search.filters import FilterColumns
from panthera_vision.ui.i18n import Translator
from panthera_vision.ui.sampling import shown_rows
from panthera_vision.ui.search.map_view import map_table


def filters_of_many_observers() -> None:
    import pandas as pd
    import streamlit as st

    from panthera_vision.search.filters import FilterColumns
    from panthera_vision.ui.i18n import Translator
    from panthera_vision.ui.search.filters import ask_for_filter

    table = pd.DataFrame(
        {
            "species": "Panthera leo",
            "observer": [f"Observer {number:04}" for number in range(2000)],
            "observed_on": "2020-01-01",
        }
    )
    where = ask_for_filter(FilterColumns(table), Translator("search", "en"))
    st.write(", ".join(where.observers))


def test_observers_are_searched_as_the_visitor_types() -> None:
    app = AppTest.from_function(filters_of_many_observers).run()
    assert not app.exception
    (observers,) = (box for box in app.multiselect if "observers" in str(box.key))
    assert observers.options == []
    app.text_input(key="filter observers typed").set_value("OBSERVER 123").run()
    (observers,) = (box for box in app.multiselect if "observers" in str(box.key))
    assert observers.options == [f"Observer {number}" for number in range(1230, 1240)]
    observers.set_value(["Observer 1234"]).run()
    # A choice outlasts the next search.
    app.text_input(key="filter observers typed").set_value("0001").run()
    (observers,) = (box for box in app.multiselect if "observers" in str(box.key))
    assert observers.options == ["Observer 0001", "Observer 1234"]
    assert app.markdown[-1].value == "Observer 1234"


def test_the_map_shows_an_even_sample_and_the_neighbors_of_the_query() -> None:
    assert shown_rows(100, [3]).tolist() == list(range(100))
    near = [7, 99_999]
    rows = shown_rows(100_000, near)
    assert 15_000 <= len(rows) <= 15_002
    assert set(near) <= set(rows.tolist())
    assert np.abs(np.histogram(rows, 10, (0, 100_000))[0] / 1500 - 1).max() < 0.1


def test_the_points_of_the_largest_map_are_less_than_two_megabytes() -> None:
    rows = shown_rows(1_000_000, [])
    table = pd.DataFrame(
        {
            "id": rows.astype(str),
            "species": "Panthera pardus",
            "observer": "some observer's name",
            "observed_on": "2020-01-01",
            "place": "Kruger National Park, ZA",
        }
    )
    points = map_table(table, np.zeros((len(rows), 2)), None, Translator("search", "en"))
    assert pa.Table.from_pandas(points).nbytes < 2_000_000  # Streamlit sends Arrow


def test_values_are_found_by_a_part_in_any_case() -> None:
    columns = FilterColumns(pd.DataFrame({"observer": ["Ann", "Анна", "Joanna", "joan"]}))
    assert columns.find_values("observer", "ann", 10) == ["Ann", "Joanna"]
    assert columns.find_values("observer", "АН", 10) == ["Анна"]
    assert columns.find_values("observer", "an", 2) == ["Ann", "Joanna"]
    assert columns.find_values("observer", "  ", 10) == []
