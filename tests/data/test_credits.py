import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from panthera_vision.data.credits import CREDITS_COLUMNS, count_licenses, write_credits
from panthera_vision.data.licenses import attribution, license_url, parse_license
from panthera_vision.errors import UserError
from panthera_vision.io.csv_safety import escape_csv_cell, normalize_newlines
from panthera_vision.ui.captions import license_label
from panthera_vision.ui.i18n import Translator


def table_of(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["id", "attribution", "license", "outcome"], dtype=str)
    return table.assign(
        species="Panthera leo",
        observer="ann",
        observation_url="https://example.org/o/1",
        image_url="https://example.org/1.jpg",
        latitude="-2.3",
    )


def test_credits_list_the_downloaded_photos_only(tmp_path: Path) -> None:
    path = tmp_path / "CREDITS.csv"
    table = table_of(
        ("1", "(c) Ann, some rights reserved (CC BY)", "CC-BY", "ok"),
        ("2", "(c) Kim, all rights reserved", "", "HTTP 404"),
        ("3", '=HYPERLINK("http://x.org")', "", "ok"),
    )
    write_credits(table, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CREDITS_COLUMNS
    assert [row["id"] for row in rows] == ["1", "3"]
    assert rows[0]["attribution"] == "(c) Ann, some rights reserved (CC BY)"
    assert rows[0]["observation_url"] == "https://example.org/o/1"
    assert rows[1]["attribution"] == '\'=HYPERLINK("http://x.org")'
    assert count_licenses(path) == {"CC-BY": 1, "": 1}


def test_credits_of_a_table_without_licenses_are_empty(tmp_path: Path) -> None:
    table = table_of(("1", "", "", "ok"))[["id", "species", "image_url", "outcome"]]
    write_credits(table, tmp_path / "CREDITS.csv")
    assert count_licenses(tmp_path / "CREDITS.csv") == {"": 1}


def test_a_credits_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "CREDITS.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="'license'"):
        count_licenses(tmp_path / "CREDITS.csv")


@given(st.text())
@example("\t=1+1")
@example("-2+3+cmd|' /C calc'!A0")
def test_cells_are_escaped_against_formula_injection_and_lose_no_text(value: str) -> None:
    cell = escape_csv_cell(value)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert cell.replace("'", "") == normalize_newlines(value).replace("'", "")


@pytest.mark.parametrize(
    ("code", "address"),
    [
        ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("CC-BY-NC-SA", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
        ("PD", "https://creativecommons.org/publicdomain/mark/1.0/"),
        ("", None),
        ("CC-BY](http://x.org", None),
    ],
)
def test_only_creative_commons_licenses_have_a_url(code: str, address: str | None) -> None:
    assert license_url(code) == address


@pytest.mark.parametrize(
    ("text", "license"),
    [
        ("http://creativecommons.org/licenses/by-nc/4.0/legalcode", ("CC-BY-NC", "4.0")),
        ("https://creativecommons.org/licenses/by-sa/3.0/", ("CC-BY-SA", "3.0")),
        ("http://creativecommons.org/publicdomain/zero/1.0/legalcode", ("CC0", "1.0")),
        ("https://creativecommons.org/publicdomain/mark/1.0/", ("PD", "1.0")),
        ("CC_BY_NC_4_0", ("CC-BY-NC", "4.0")),
        ("CC BY-NC-SA 2.0", ("CC-BY-NC-SA", "2.0")),
        ("cc-by", ("CC-BY", "")),
        ("CC0", ("CC0", "")),
        ("© Ann, licensed under CC BY-ND", ("CC-BY-ND", "")),
        ("http://creativecommons.org/licenses/by-mit/4.0/", None),
        ("CC-BY-SA-ND", None),
        ("All rights reserved", None),
        ("Usage Conditions Apply", None),
        ("", None),
    ],
)
def test_licenses_are_recognized_however_they_are_written(
    text: str, license: tuple[str, str] | None
) -> None:
    assert parse_license(text) == license


def test_an_attribution_names_the_version_of_an_older_license() -> None:
    assert attribution("Ann", "CC-BY", "2.0") == "(c) Ann, some rights reserved (CC BY 2.0)"
    assert attribution("Ann", "CC-BY", "4.0") == "(c) Ann, some rights reserved (CC BY)"
    assert attribution("Ann", "PD", "1.0") == "Ann, public domain"


def test_no_license_is_shown_as_all_rights_reserved() -> None:
    assert license_label("", Translator("search", "ru")) == "все права защищены"
    assert license_label("CC-BY", Translator("search", "en")) == r"CC\-BY"
