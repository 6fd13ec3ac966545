from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.errors import UserError
from panthera_vision.search.filters import FilterColumns, PhotoFilter

DAYS = [date(2020, 1, 1) + timedelta(days=number) for number in range(5)]
WORDS = ["", "a", "b", "Ab"]
photos = st.fixed_dictionaries(
    {
        "species": st.sampled_from(["Panthera leo", "Panthera onca", "Panthera uncia"]),
        "license": st.sampled_from(["", "CC0", "CC-BY"]),
        "observer": st.sampled_from(WORDS),
        "observed_on": st.sampled_from(["", "unknown", "2020-13-01", *map(str, DAYS)]),
        "place": st.sampled_from(["", "Narok, KE", "Нарок,  Кения", "GIR, in"]),
    }
)
filters = st.builds(
    PhotoFilter,
    species=st.lists(st.sampled_from(["Panthera leo", "Panthera uncia", "Felis catus"])).map(tuple),
    licenses=st.lists(st.sampled_from(["", "CC0"])).map(tuple),
    observers=st.lists(st.sampled_from(WORDS)).map(tuple),
    first_day=st.none() | st.sampled_from(DAYS),
    last_day=st.none() | st.sampled_from(DAYS),
    place=st.sampled_from(["", " ", "ke", "НАРОК, Кения", "gir,", "nowhere"]),
)


def passes(photo: dict[str, str], wanted: PhotoFilter) -> bool:
    """Check one photo against a filter, independently of the implementation."""
    if wanted.species and photo["species"] not in wanted.species:
        return False
    if wanted.licenses and photo["license"] not in wanted.licenses:
        return False
    if wanted.observers and photo["observer"] not in wanted.observers:
        return False
    if wanted.first_day or wanted.last_day:
        # ISO days are in order as text too.
        day = photo["observed_on"]
        if day not in map(str, DAYS):
            return False
        if wanted.first_day and day < str(wanted.first_day):
            return False
        if wanted.last_day and day > str(wanted.last_day):
            return False
    return " ".join(wanted.place.lower().split()) in " ".join(photo["place"].lower().split())


@given(st.lists(photos, min_size=1, max_size=12), filters)
def test_matching_rows_equal_a_photo_by_photo_check(
    rows: list[dict[str, str]], wanted: PhotoFilter
) -> None:
    expected = [number for number, photo in enumerate(rows) if passes(photo, wanted)]
    assert FilterColumns(pd.DataFrame(rows)).matching_rows(wanted).tolist() == expected


def test_missing_columns_count_as_empty() -> None:
    table = pd.DataFrame({"species": ["Panthera leo"] * 3})
    assert FilterColumns(table).matching_rows(PhotoFilter()).tolist() == [0, 1, 2]
    assert FilterColumns(table).matching_rows(PhotoFilter(licenses=("",))).tolist() == [0, 1, 2]
    assert not len(FilterColumns(table).matching_rows(PhotoFilter(place="Kenya")))
    assert not len(FilterColumns(table).matching_rows(PhotoFilter(first_day=date(1900, 1, 1))))
    assert FilterColumns(table).matching_rows(PhotoFilter()).dtype == np.int64


def test_parts_in_use_counts_kinds_of_conditions() -> None:
    assert PhotoFilter(place="  ").parts_in_use == 0
    assert PhotoFilter(first_day=DAYS[0], last_day=DAYS[1]).parts_in_use == 1
    assert PhotoFilter(species=("Panthera leo",), place="x").parts_in_use == 2


def test_dates_as_spreadsheets_write_them_pass_a_filter_by_date() -> None:
    table = pd.DataFrame({"observed_on": ["21.03.2020", "2020/3/22", "2020-03-23", "24 Mar 2020"]})
    where = PhotoFilter(first_day=date(2020, 3, 21), last_day=date(2020, 3, 23))
    assert FilterColumns(table).matching_rows(where).tolist() == [0, 1, 2]


def test_a_filter_by_date_says_how_many_photos_have_no_readable_date() -> None:
    where = PhotoFilter(first_day=date(2020, 1, 1))
    table = pd.DataFrame({"observed_on": ["2020-03-21", "", "03/04/2020"]})
    assert FilterColumns(table).undated_note(where) == (
        "2 of 3 photos have no date, 1 of them one that can't be read, such as '03/04/2020'"
    )
    assert FilterColumns(table).undated_note(PhotoFilter()) == ""
    assert FilterColumns(table[:1]).undated_note(where) == ""
    assert FilterColumns(table).resolve(where) == where
    with pytest.raises(UserError, match="no photo of the collection passes a date: 2 of 2"):
        FilterColumns(table[1:]).resolve(where)


def test_an_unknown_value_lists_ten_names_and_suggests_the_closest() -> None:
    table = pd.DataFrame({"observer": [f"observer{n}" for n in range(300)] + ["jane_tours"]})
    with pytest.raises(UserError, match="did you mean 'jane_tours'") as caught:
        FilterColumns(table).resolve(PhotoFilter(observers=("jane_tour",)))
    assert str(caught.value).count("observer") <= 12
    assert "291 more" in str(caught.value)
