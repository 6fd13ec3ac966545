"""Tables as spreadsheets save them: delimiters, a "sep=" line, byte order marks, encodings."""

from pathlib import Path

import pytest

from panthera_vision.data.csv_dialect import detect_dialect, read_rows
from panthera_vision.data.photo_table import read_table
from panthera_vision.errors import UserError

ROWS = [
    ["id", "image_url", "place"],
    ["1", "фото/a b.jpg", "Kruger, ZA; north"],
    ["2", "b.jpg", ""],
]


def write(path: Path, delimiter: str, encoding: str, before: str = "", end: str = "\r\n") -> Path:
    lines = [delimiter.join(f'"{cell}"' for cell in row) for row in ROWS]
    path.write_bytes((before + end.join(lines) + end).encode(encoding))
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_tables_of_any_spreadsheet_are_read(
    tmp_path: Path, delimiter: str, encoding: str, end: str
) -> None:
    path = write(tmp_path / "trip.csv", delimiter, encoding, end=end)
    assert [row for _, row in read_rows(path)] == ROWS
    table = read_table(path, ("id", "image_url"))
    assert [list(table.columns), *table.to_numpy().tolist()] == ROWS


@pytest.mark.parametrize("before", ["sep=;\r\n", "sep=;\n", '"sep=;"\r\n', "SEP=;\n"])
def test_a_line_that_names_the_delimiter_is_no_header(tmp_path: Path, before: str) -> None:
    path = write(tmp_path / "trip.csv", ";", "utf-8-sig", before)
    assert [row for _, row in read_rows(path)] == ROWS
    assert list(read_table(path, ("id",))["id"]) == ["1", "2"]


def test_a_comma_in_one_column_of_a_semicolon_table_does_not_divide_it(tmp_path: Path) -> None:
    path = tmp_path / "trip.csv"
    path.write_text("file;latitude, longitude;place\na.jpg;1,5;Kruger\n", encoding="utf-8")
    assert detect_dialect(path).delimiter == ";"


def test_a_table_of_one_column_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trip.csv"
    path.write_text("file\na b.jpg\nc.jpg\n", encoding="utf-8")
    assert list(read_table(path, ("file",))["file"]) == ["a b.jpg", "c.jpg"]


def test_missing_cells_at_the_end_of_a_row_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "trip.csv"
    path.write_text("file,place\na.jpg,Kruger\nb.jpg\n", encoding="utf-8")
    assert list(read_table(path, ("file",))["place"]) == ["Kruger", ""]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-16-le"])
def test_other_encodings_end_in_one_line_that_says_how_to_save_the_table(
    tmp_path: Path, encoding: str
) -> None:
    path = write(tmp_path / "trip.csv", ";", encoding)
    for read in (lambda: list(read_rows(path)), lambda: read_table(path, ())):
        with pytest.raises(UserError, match=r"trip.csv: not UTF-8.*save it as UTF-8") as caught:
            read()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_a_workbook_named_csv_ends_in_one_line_that_says_so(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "trip.csv"
    path.write_bytes(start + bytes(range(256)))
    with pytest.raises(UserError, match="is a workbook"):
        read_table(path, ())


def test_blank_lines_before_the_header_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "trip.csv"
    path.write_text("\n\nfile;place\na.jpg;Kruger\n", encoding="utf-8")
    assert detect_dialect(path).delimiter == ";"
    assert list(read_table(path, ("file", "place"))["file"]) == ["a.jpg"]
