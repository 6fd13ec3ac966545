"""Reading an iNaturalist export: cleaning, reasons of dropped rows, broken tables."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panthera_vision.errors import UserError
from panthera_vision.sources.inaturalist.export import EXPORT_COLUMNS
from panthera_vision.sources.observations import prepare_observations, read_observations

from ..conftest import SPECIES

WriteExport = Callable[..., Path]


def test_subspecies_are_lifted_and_dropped_rows_have_a_reason(write_export: WriteExport) -> None:
    folder = write_export(
        "1,https://example.org/1.jpg,Panthera leo melanochaita",
        "2,,Panthera leo",
        "3,https://example.org/3.jpg,Panthera",
        "4,https://example.org/4.jpg,Acinonyx jubatus",
        "1,https://example.org/5.jpg,Panthera leo",
        "6,https://example.org/1.jpg,Panthera leo",
        "7,https://example.org/7.jpg",
        "../../x,https://example.org/8.jpg,Panthera leo",
        "9,ftp://example.org/9.jpg,Panthera leo",
        "10,photos/ten.jpg,Panthera leo",
        ",https://example.org/11.jpg,Panthera leo",
        '12,"https://example.org/12.jpg","Panthera leo"',
        end="\r\n",
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["id"]) == ["1", "10", "12"]
    assert set(table["species"]) == {"Panthera leo"}
    assert table["taxon"][0] == "Panthera leo melanochaita"
    assert report.rows_read == 12
    assert report.dropped_by_reason == {
        "address is not http, https or a file": 1,
        "duplicate id": 1,
        "duplicate photo": 1,
        "id with other characters than A-Z, a-z, 0-9, - and _": 1,
        "no photo": 1,
        "not identified to species": 1,
        "species not in allowed_species": 1,
        "without an id": 1,
        "wrong number of fields": 1,
    }


def test_observer_date_license_and_attribution_are_kept(write_export: WriteExport) -> None:
    folder = write_export(
        '7,https://x.org/7.jpg,Panthera leo,"Ann, B.\nC",2020-05-01,CC-BY-NC,https://x.org/o/7,',
        "8,https://x.org/8.jpg,Panthera leo,zoë,2020-05-02,,https://x.org/o/8,",
        "9,https://x.org/9.jpg,Panthera leo,kim,2020-05-02,CC0,https://x.org/o/9,Kim &amp; Lee",
        header="id,image_url,scientific_name,user_login,observed_on,license,url,user_name",
    )
    table, _ = prepare_observations(folder, ["Panthera leo"])
    first = table.iloc[0]
    assert first["observer"] == "Ann, B.\nC"
    assert (first["observed_on"], first["license"]) == ("2020-05-01", "CC-BY-NC")
    assert first["observation_url"] == "https://x.org/o/7"
    assert list(table["attribution"]) == [
        "(c) Ann, B.\nC, some rights reserved (CC BY-NC)",
        "(c) zoë, all rights reserved",
        "Kim & Lee, no rights reserved (CC0)",
    ]


def test_impossible_coordinates_are_left_empty(
    write_export: WriteExport,
) -> None:
    folder = write_export(
        '1,https://x.org/1.jpg,Panthera leo,"Kruger, ZA",-24.75,31.85',
        "2,https://x.org/2.jpg,Panthera leo,,91,31.85",
        "3,https://x.org/3.jpg,Panthera leo,,-24.75,-180.5",
        "4,https://x.org/4.jpg,Panthera leo,,nan,31.85",
        "5,https://x.org/5.jpg,Panthera leo,,-24.75,",
        "6,https://x.org/6.jpg,Panthera leo,,=1+1,31.85",
        "7,https://x.org/7.jpg,Panthera leo,,-90,180",
        header="id,image_url,scientific_name,place_guess,latitude,longitude",
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert report.rows_kept == 7
    assert table["place"][0] == "Kruger, ZA"
    on_the_globe = table[table["latitude"] != ""]
    assert list(on_the_globe["id"]) == ["1", "7"]
    assert list(on_the_globe["longitude"]) == ["31.85", "180"]
    assert list(table[table["longitude"] != ""]["id"]) == ["1", "7"]


def test_an_export_without_coordinates_has_empty_ones(write_export: WriteExport) -> None:
    table, report = prepare_observations(
        write_export("1,https://x.org/1.jpg,Panthera leo"), ["Panthera leo"]
    )
    assert list(table[["place", "latitude", "longitude"]].iloc[0]) == ["", "", ""]
    assert {"place_guess", "latitude", "longitude"} <= set(report.columns_missing)


def test_an_export_with_all_columns_of_today_is_read(write_export: WriteExport) -> None:
    names = [
        *EXPORT_COLUMNS,
        *("place_town_name", "place_admin1_name", "place_country_name"),
        *(
            f"taxon_{rank}_name"
            for rank in ["kingdom", "phylum", "class", "order", "family", "genus"]
        ),
        *("taxon_species_name", "taxon_hybrid_name", "taxon_subspecies_name"),
        *(
            "field:Life stage",
            "field:Count, total",
            "field:Life stage",
            "tag:license",
            "ident_by_me",
        ),
        *(f"field:{number}" for number in range(20)),
    ]
    assert len(names) > 70
    cells = dict.fromkeys(names, "") | {
        "id": "7",
        "image_url": "https://x.org/7.jpg",
        "scientific_name": "Panthera leo melanochaita",
        "taxon_species_name": "Panthera leo",
        "user_login": "ann",
        "observed_on": "2021-05-01",
        "time_observed_at": "2021-05-01 06:30:00 UTC",
        "license": "CC-BY",
        "description": '"A ""lion"",\nasleep"',
        "tag:license": "none",
        "field:Count, total": "3",
    }
    header = ",".join(f'"{name}"' for name in names)
    table, report = prepare_observations(
        write_export(",".join(cells[name] for name in names), header=header), ["Panthera leo"]
    )
    row = table.iloc[0]
    assert (row["observer"], row["observed_on"], row["license"]) == ("ann", "2021-05-01", "CC-BY")
    assert (row["taxon"], row["taken_at"]) == (
        "Panthera leo melanochaita",
        "2021-05-01T06:30:00+00:00",
    )
    assert report.columns_missing == ("attribution",)


def test_an_export_with_few_columns_is_read_by_those_that_say_the_same(
    write_export: WriteExport,
) -> None:
    folder = write_export(
        "d604d229-75eb-49f1-9570-8c298ae8473a,Lion,https://x.org/1.jpg,Panthera leo,,"
        "2021/05/01 9:15 AM,ann",
        "e604d229-75eb-49f1-9570-8c298ae8473a,Snow leopard,https://x.org/2.jpg,,,,kim",
        "f604d229-75eb-49f1-9570-8c298ae8473a,Cats,https://x.org/3.jpg,,,,kim",
        header="uuid,species_guess,image_url,taxon_species_name,taxon_subspecies_name,"
        "observed_on_string,user_name",
    )
    (folder / "observations.csv").rename(folder / "observations-512345.csv")
    table, report = prepare_observations(folder, ["Panthera leo", "Panthera uncia"])
    assert list(table["species"]) == ["Panthera leo", "Panthera uncia"]
    assert list(table["observer"]) == ["ann", "kim"]
    assert table["observed_on"][0] == "2021-05-01"
    assert table["id"][0].startswith("d604d229")
    assert report.dropped_by_reason == {"not identified to species": 1}
    assert "3 rows have id from uuid, because that column is missing" in report.summary()
    assert "the table lacks: license, place_guess, latitude, longitude" in report.summary()


def test_several_exports_in_a_folder_are_an_error(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"observations-{number}.csv").write_text("id,image_url,scientific_name\n")
    with pytest.raises(UserError, match=r"several exports: observations-1\.csv, observations-2"):
        prepare_observations(tmp_path, ["Panthera leo"])


def test_a_missing_column_is_named(write_export: WriteExport) -> None:
    folder = write_export("1,Panthera leo", header="id,scientific_name")
    with pytest.raises(UserError, match=r"column .image_url. is missing; required are id"):
        prepare_observations(folder, ["Panthera leo"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"id,image_url,scientific_name\n", "no rows"),
        ("id,image_url,scientific_name\n1,a.jpg,Panthera leo,é\n".encode("latin-1"), "not UTF-8"),
        (b"id,image_url,scientific_name\n1,a\0.jpg,Panthera leo\n", "no usable photo"),
        (b'id,image_url,scientific_name\n1,"' + b"x" * 200_000 + b'",y\n', "line 2: not CSV"),
    ],
)
def test_a_broken_table_is_reported_in_one_line(
    write_export: WriteExport, content: bytes, message: str
) -> None:
    folder = write_export()
    (folder / "observations.csv").write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        prepare_observations(folder, ["Panthera leo"])
    assert "\n" not in str(caught.value)


def test_the_error_of_a_missing_export_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"observations.csv does not exist.*make demo"):
        prepare_observations(tmp_path, ["Panthera leo"])


def test_a_table_named_instead_of_its_folder_is_an_error_that_says_so(
    write_export: WriteExport,
) -> None:
    table = write_export("1,a.jpg,Panthera leo") / "observations.csv"
    with pytest.raises(UserError, match=r"observations\.csv: this is a file; name the folder"):
        prepare_observations(table, ["Panthera leo"])


def test_the_error_of_an_unknown_species_lists_the_known_ones(write_export: WriteExport) -> None:
    folder = write_export("1,a.jpg,Panthera leo", "2,b.jpg,Puma concolor")
    with pytest.raises(UserError, match="'Panthera atrox'; the table has Panthera leo, Puma conc"):
        prepare_observations(folder, ["Panthera leo", "Panthera atrox"])


def test_dropped_rows_are_told_with_an_example_also_if_all_are_dropped(
    write_export: WriteExport,
) -> None:
    folder = write_export(
        "9.00E+08,a.jpg,Panthera leo",
        '"9,00E+08",b.jpg,Panthera leo',
        "IMG_0001 (1),c.jpg,Panthera leo",
        "photos/4.jpg,d.jpg,Panthera leo",
        f"{'1' * 65},e.jpg,Panthera leo",
        "6,Panthera leo",
    )
    table, report = read_observations(folder, ["Panthera leo"])
    assert table.empty
    assert sum(report.dropped_by_reason.values()) == report.rows_read == 6
    with pytest.raises(UserError) as caught:
        prepare_observations(folder, ["Panthera leo"])
    for phrase in (
        "no row can be used",
        "2 id rounded by a spreadsheet (format the column as text) such as '9.00E+08'",
        "2 id with other characters than A-Z, a-z, 0-9, - and _ such as 'IMG_0001 (1)'",
        "1 id longer than 64 characters",
        "1 wrong number of fields such as 'line 7: 2 instead of 3'",
    ):
        assert phrase in str(caught.value)


def test_whole_numbers_with_decimals_are_ids(write_export: WriteExport) -> None:
    folder = write_export("900000001.0,a.jpg,Panthera leo", '"900000002,00",b.jpg,Panthera leo')
    table, _ = prepare_observations(folder, ["Panthera leo"])
    assert list(table["id"]) == ["900000001", "900000002"]


def test_empty_cells_and_rows_that_a_spreadsheet_adds_drop_nothing(
    write_export: WriteExport,
) -> None:
    folder = write_export(
        "1,a.jpg,Panthera leo,,",
        "2,b.jpg,Panthera leo",
        ",,,,",
        header="ID,Image URL,scientific_name,,",
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["id"]) == ["1", "2"]
    assert (report.rows_read, report.dropped_by_reason) == (2, {})


def test_rows_without_their_last_optional_cells_are_kept_and_counted(
    write_export: WriteExport,
) -> None:
    folder = write_export(
        "1,a.jpg,Panthera leo,Kruger,CC0",
        "2,b.jpg,Panthera leo",
        "3,c.jpg",
        "4,d.jpg,Panthera leo,Kruger,CC0,more",
        header="id,image_url,scientific_name,place_guess,license",
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["id"]) == ["1", "2"]
    assert list(table["place"]) == ["Kruger", ""]
    assert "1 rows are shorter than the header" in report.summary()
    assert report.dropped_by_reason == {"wrong number of fields": 2}


def test_a_semicolon_table_keeps_its_places_with_decimal_commas(write_export: WriteExport) -> None:
    folder = write_export(
        "1;a.jpg;Panthera leo;-24,75;31,85",
        "2;b.jpg;Panthera leo;\u221224,5;31",
        "3;c.jpg;Panthera leo;24°45'S;31°",
        header="id;image_url;scientific_name;latitude;longitude",
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["latitude"]) == ["-24.75", "-24.5", ""]
    assert list(table["longitude"]) == ["31.85", "31", ""]
    assert report.notes == {"rows have coordinates that can't be read": 1}


def test_dates_of_spreadsheets_become_iso_dates_and_unreadable_ones_are_counted(
    write_export: WriteExport,
) -> None:
    folder = write_export(
        "1,a.jpg,Panthera leo,21.03.2020",
        "2,b.jpg,Panthera leo,2020/3/21",
        "3,c.jpg,Panthera leo,03/04/2020",
        "4,d.jpg,Panthera leo,",
        header="id,image_url,scientific_name,observed_on",
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["observed_on"]) == ["2020-03-21", "2020-03-21", "03/04/2020", ""]
    assert "1 rows have a date that can't be read without guessing" in report.summary()
    assert "'03/04/2020'" in report.summary()


def test_a_photo_that_is_named_two_species_is_none(write_export: WriteExport) -> None:
    folder = write_export(
        "1,a.jpg,Panthera leo",
        "2,a.jpg,Panthera onca",
        "3,b.jpg,Panthera leo",
        "4,c.jpg,Panthera onca",
        "5,b.jpg,Panthera leo",
    )
    table, report = prepare_observations(folder, ["Panthera leo", "Panthera onca"])
    assert list(table["id"]) == ["3", "4"]
    assert report.dropped_by_reason == {"duplicate photo": 1, "one photo under two species": 2}
    assert report.rows_read == 5


def test_hybrids_are_dropped_as_such(write_export: WriteExport) -> None:
    folder = write_export(
        "1,a.jpg,Panthera leo", "2,b.jpg,Panthera leo ×tigris", "3,c.jpg,Panthera leo Х tigris"
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["id"]) == ["1"]
    assert report.dropped_by_reason == {"hybrid": 2}


def test_synonyms_and_common_names_are_renamed_and_told(write_export: WriteExport) -> None:
    folder = write_export(
        "1,a.jpg,Uncia uncia",
        "2,b.jpg,Uncia uncia uncia",
        "3,c.jpg,Snow leopard",
        "4,d.jpg,снежный  барс",
        "5,e.jpg,Panthera uncia",
    )
    table, report = prepare_observations(folder, ["Panthera uncia"])
    assert set(table["species"]) == {"Panthera uncia"}
    assert len(table) == 5
    assert "renamed 1 Uncia uncia → Panthera uncia" in report.summary()
    # A user who prefers the former name has it.
    table, _ = prepare_observations(folder, ["Uncia uncia"])
    assert set(table["species"]) == {"Uncia uncia"}


def test_dropped_species_are_named_the_ten_most_frequent(write_export: WriteExport) -> None:
    letters = "abcdefghijklmnopqrst"
    others = [f"{n},{n}.jpg,Felis {letter}us" for n, letter in enumerate(letters)]
    folder = write_export(
        *others, "u1,u1.jpg,Panthera unica", "u2,u2.jpg,Panthera unica", "x,x.jpg,Panthera uncia"
    )
    _, report = prepare_observations(folder, ["Panthera uncia"])
    names = report.examples_by_reason["species not in allowed_species"]
    assert len(names) == 10
    assert names["Panthera unica"] == 2
    assert "2 Panthera unica (Panthera uncia?)" in report.summary()


def test_an_error_lists_ten_names_and_suggests_the_closest(write_export: WriteExport) -> None:
    rows = [f"{n},{n}.jpg,Felis s{'a' * (n % 40)}{'b' * (n // 40)}us" for n in range(300)]
    folder = write_export(*rows, "x,x.jpg,Panthera leo", "y,y.jpg,Panthera unica")
    with pytest.raises(UserError, match="spelled most like it is 'Panthera unica'") as caught:
        prepare_observations(folder, ["Panthera leo", "Panthera uncia"])
    assert str(caught.value).count("Felis") <= 10
    assert len(str(caught.value)) < 2000


def test_thumbnails_of_inaturalist_are_asked_for_in_medium_size(write_export: WriteExport) -> None:
    base = "https://inaturalist-open-data.s3.amazonaws.com/photos"
    folder = write_export(
        f"1,{base}/1/square.jpg,Panthera leo",
        "2,https://static.inaturalist.org/photos/2/small.JPG?1234,Panthera leo",
        f"3,{base}/3/large.jpg,Panthera leo",
        "4,https://example.org/photos/4/square.jpg,Panthera leo",
    )
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["image_url"]) == [
        f"{base}/1/medium.jpg",
        "https://static.inaturalist.org/photos/2/medium.JPG?1234",
        f"{base}/3/large.jpg",
        "https://example.org/photos/4/square.jpg",
    ]
    assert "2 addresses of thumbnails were changed to the medium size" in report.summary()


_FIELD = st.text(st.characters(codec="utf-8", exclude_characters='\0\r\n",'), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.lists(_FIELD, min_size=1, max_size=4), max_size=20))
def test_kept_and_dropped_rows_add_up(write_export: WriteExport, rows: list[list[str]]) -> None:
    folder = write_export("good,good.jpg,Panthera leo", *(",".join(row) for row in rows))
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert report.rows_read == report.rows_kept + sum(report.dropped_by_reason.values())
    assert report.rows_kept == len(table) == sum(report.kept_by_species.values())
    assert table["id"].is_unique


def test_the_real_export_keeps_5602_of_5610_rows(real_data: Path) -> None:
    table, report = prepare_observations(real_data / "inaturalist", SPECIES)
    assert (report.rows_read, report.rows_kept) == (5610, 5602)
    assert report.dropped_by_reason == {"no photo": 8}
    assert Counter(table["species"]) == report.kept_by_species
