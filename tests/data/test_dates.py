"""Dates as spreadsheets and people write them are read where they are unambiguous."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.data.dates import normalize_dates, parse_dates


@pytest.mark.parametrize(
    "text",
    [
        *("2020-03-21", "2020-03-21 14:30", "2020-03-21T14:30:00Z", "2020-03-21 05:27:00 UTC"),
        *("2020/3/21", "2020/03/21", "2020.03.21", "2020-3-21", "2020:03:21 10:20:30", "20200321"),
        *("21.03.2020", "21.3.2020", "21. 3. 2020", "21.03.2020 14:30", "21.03.2020, 14:30"),
        *("21/03/2020", "21/3/2020 2:30 PM", "3/21/2020", "03/21/2020 14:30", "21-03-2020"),
        *("21 Mar 2020", "21-Mar-2020", "Mar 21, 2020", "March 21st, 2020", "21 марта 2020 г."),
        *("21. März 2020", "21 mars 2020", "Sat, 21 Mar 2020 10:00", "Saturday, March 21, 2020"),
        *("21 marzo 2020", " 21.03.2020 "),
    ],
)
def test_unambiguous_dates_are_read(text: str) -> None:
    assert parse_dates([text]) == [date(2020, 3, 21)]


@pytest.mark.parametrize("mark", ["/", "-"])
def test_an_ambiguous_date_is_read_only_if_the_column_shows_the_order(mark: str) -> None:
    ambiguous, day_first, month_first = (
        text.replace("/", mark) for text in ("03/04/2020", "21/03/2020", "03/21/2020")
    )
    assert parse_dates([ambiguous]) == [None]
    assert parse_dates([ambiguous, day_first])[0] == date(2020, 4, 3)
    assert parse_dates([ambiguous, month_first])[0] == date(2020, 3, 4)
    assert parse_dates([ambiguous, day_first, month_first])[0] is None
    assert parse_dates(["03.04.2020", "21.03.2020", ambiguous])[2] is None
    assert parse_dates(["03.04.2020", "05/05/2020"]) == [date(2020, 4, 3), date(2020, 5, 5)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2020",
        "March 2020",
        "43911",
        "31.02.2020",
        "2020-02-30",
        "0000:00:00 00:00:00",
        "21.03.20",
        "unknown",
        "13/13/2020",
        "2020-03-211",
        "1 x 2020",
        "99999999",
    ],
)
def test_what_is_no_date_stays_as_it_is(text: str) -> None:
    assert parse_dates([text]) == [None]
    assert normalize_dates([text]) == [text]


@given(st.lists(st.text(max_size=30)))
def test_any_text_gives_dates_or_nothing(texts: list[str]) -> None:
    assert len(normalize_dates(texts)) == len(texts)


@given(st.dates(date(1800, 1, 1), date(2100, 1, 1)))
def test_iso_dates_keep_their_text(day: date) -> None:
    assert normalize_dates([day.isoformat()]) == [day.isoformat()]
