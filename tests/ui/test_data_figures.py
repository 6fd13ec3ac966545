import json
from pathlib import Path

import pandas as pd
import pytest

from panthera_vision.errors import UserError
from panthera_vision.ui.report.data_figures import (
    count_by_license,
    count_by_species_and_split,
    count_by_year,
    count_left_out,
    count_noncommercial,
    read_preparation,
    select_located,
)

PHOTOS = pd.DataFrame(
    [
        ("Panthera leo", "train", "2020-05-01", "CC-BY-NC", "-24.7", "31.8", "Kruger"),
        ("Panthera leo", "test", "2020", "CC0", "91", "31.8", ""),
        ("Panthera onca", "train", "1999-12-31", "", "", "", "Pantanal"),
        ("Panthera onca", "train", "", "CC-BY-NC", "inf", "0", ""),
    ],
    columns=["species", "split", "observed_on", "license", "latitude", "longitude", "place"],
)
REPORT = {"rows_read": 9, "rows_kept": 6, "dropped_by_reason": {"no photo": 3}, "splits": {}}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "preparation_report.json").write_text(json.dumps(REPORT))
    outcomes = "outcome,photos\nalready here,1\nfetched,3\nHTTP 404,2\n"
    (tmp_path / "download_outcomes.csv").write_text(outcomes)
    return tmp_path


def test_every_pair_of_species_and_split_is_counted() -> None:
    table = count_by_species_and_split(PHOTOS)
    assert len(table) == 6
    counts = table.set_index(["species", "split"])["photos"]
    assert counts["Panthera onca", "train"] == 2
    assert counts["Panthera onca", "validation"] == 0
    assert counts.sum() == len(PHOTOS)


def test_photos_without_a_year_are_left_out_of_the_years() -> None:
    table = count_by_year(PHOTOS)
    assert list(table["year"]) == [1999, 2020]
    assert list(table["photos"]) == [1, 2]
    assert count_by_year(PHOTOS.drop(columns="observed_on")).empty


def test_licenses_are_counted_and_those_that_forbid_commercial_use() -> None:
    table = count_by_license(PHOTOS)
    assert dict(zip(table["license"], table["photos"], strict=True)) == {
        "CC-BY-NC": 2,
        "CC0": 1,
        "": 1,
    }
    assert table["share"].sum() == 1
    assert count_noncommercial(list(PHOTOS["license"])) == 3
    assert count_noncommercial(["CC-BY", "cc-by-nc-sa", "CC-BY-ND"]) == 1


def test_only_coordinates_on_the_globe_are_mapped() -> None:
    table = select_located(PHOTOS)
    assert len(table) == 1
    assert (table["latitude"][0], table["longitude"][0]) == (-24.7, 31.8)
    assert table["place"][0] == "Kruger"
    assert select_located(PHOTOS.drop(columns=["latitude", "place"])).empty


def test_rows_left_out_are_counted_over_both_stages(results: Path) -> None:
    table = count_left_out(read_preparation(results), results)
    assert [tuple(row) for row in table.itertuples(index=False)] == [
        ("prepare", "no photo", 3),
        ("download", "HTTP 404", 2),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("preparation_report.json", None, "does not exist; run `dvc repro`"),
        ("preparation_report.json", "[]", "preparation_report.json is broken"),
        ("preparation_report.json", '{"rows_read": "many"}', "broken: rows_read"),
        ("download_outcomes.csv", None, "does not exist; `dvc repro`"),
        (
            "download_outcomes.csv",
            "outcome,photos\nfetched,many\n",
            "column 'photos' is invalid",
        ),
    ],
)
def test_missing_or_broken_reports_are_named(
    results: Path, name: str, content: str | None, message: str
) -> None:
    (results / name).unlink()
    if content is not None:
        (results / name).write_text(content)
    with pytest.raises(UserError, match=message):
        count_left_out(read_preparation(results), results)
