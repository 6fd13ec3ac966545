"""Untrusted tables: no cell content adds a row (injection) or a path outside the folders."""

import csv
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from panthera_vision.data.photo_table import photo_path, read_dataset, write_table
from panthera_vision.data.taxonomy import species_of
from panthera_vision.errors import UserError
from panthera_vision.io.csv_safety import escape_csv_cell
from panthera_vision.sources.inaturalist.client import Query
from panthera_vision.sources.inaturalist.export import EXPORT_FILE
from panthera_vision.sources.inaturalist.export_rows import export_rows
from panthera_vision.sources.observations import prepare_observations

from ..conftest import REPOSITORY

WriteExport = Callable[..., Path]
HEADER = ["id", "image_url", "scientific_name", "user_login", "place_guess", "license"]
# Whatever ends a line somewhere, opens a quote, or begins a formula.
AWKWARD = "\0\r\n\t \",;'=+-@\x0b\x0c\x1a\x1c\x85\u2028\ufeffaЯ"
cells = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.text(AWKWARD, max_size=12),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=4), st.sampled_from("\n\r"))
@example([("x\r../../x,http://x.org/9,Panthera leo,,,", "", "")], "\n")
def test_no_cell_adds_a_row_to_any_table(
    tmp_path: Path, rows: list[tuple[str, str, str]], end: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER)
    for number, row in enumerate(rows):
        writer.writerow([str(number), f"http://x.org/{number}", "Panthera leo", *row])
    (tmp_path / EXPORT_FILE).write_bytes(text.getvalue().encode())
    table, report = prepare_observations(tmp_path, ["Panthera leo"])
    assert report.rows_read == report.rows_kept == len(rows)
    write_table(table, tmp_path / "dataset.csv")
    pd.testing.assert_frame_equal(read_dataset(tmp_path / "dataset.csv"), table)
    assert not table["place"].str.contains(r"[\x00-\x08\x0b-\x1f]").any()


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "mixed"])
def test_all_line_endings_are_read(write_export: WriteExport, ends: str) -> None:
    header = ",".join(HEADER)
    rows = [f'{n},http://x.org/{n},Panthera leo,"Ann\r\nB",,' for n in range(6)]
    cycle = ["\n", "\r\n", "\r"] if ends == "mixed" else [ends]
    text = "".join(row + cycle[n % len(cycle)] for n, row in enumerate([header, *rows]))
    folder = write_export()
    (folder / EXPORT_FILE).write_bytes(text.encode())
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert report.rows_kept == 6
    assert set(table["observer"]) == {"Ann\nB"}


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-16-le", "utf-16-be"])
def test_other_encodings_are_refused_in_one_line(write_export: WriteExport, encoding: str) -> None:
    folder = write_export()
    text = ",".join(HEADER) + "\n1,http://x.org/1,Panthera leo,Аня,Тигровая падь,CC0\n"
    (folder / EXPORT_FILE).write_bytes(text.encode(encoding))
    with pytest.raises(UserError, match=r"not UTF-8|column .* is missing") as caught:
        prepare_observations(folder, ["Panthera leo"])
    assert "\n" not in str(caught.value)


def test_an_unclosed_quote_is_one_line_within_seconds(write_export: WriteExport) -> None:
    rows = [f"{n},http://x.org/{n},Panthera leo,,," for n in range(20_000)]
    folder = write_export(f'0,http://x.org/z,Panthera leo,"Ann{"A" * 10}', *rows)
    with pytest.raises(UserError, match="not CSV: field larger than field limit"):
        prepare_observations(folder, ["Panthera leo"])


@pytest.mark.parametrize("name", ["(" * 130_000, " " * 130_000, "Panthera " + "a-" * 60_000])
def test_a_very_long_name_does_not_slow_the_regular_expression(name: str) -> None:
    assert species_of(name) is None


def test_ids_that_differ_in_case_alone_are_one(write_export: WriteExport) -> None:
    folder = write_export("a1,http://x.org/1,Panthera leo", "A1,http://x.org/2,Panthera leo")
    table, report = prepare_observations(folder, ["Panthera leo"])
    assert list(table["id"]) == ["a1"]
    assert report.dropped_by_reason == {"duplicate id": 1}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "../../x"),
        ("id", "/etc/x"),
        ("id", ""),
        ("species", "../../x"),
        ("species", "Panthera leo/../.."),
        ("species", "Panthera"),
    ],
)
def test_path_traversal_by_id_or_species_is_refused(
    tmp_path: Path, column: str, value: str
) -> None:
    row = {"id": "1", "species": "Panthera leo", "image_url": "http://x.org/1"} | {column: value}
    write_table(pd.DataFrame([row]), tmp_path / "dataset.csv")
    with pytest.raises(UserError, match=f"{column} '.*' is invalid"):
        read_dataset(tmp_path / "dataset.csv")


@pytest.mark.parametrize(
    "file", ["../x", "/etc/passwd", "a/../../x", "a\0b", "\ud800", "link", "link/passwd"]
)
def test_path_traversal_by_file_is_refused(tmp_path: Path, file: str) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "link").symlink_to("/etc")
    with pytest.raises(UserError, match="`dvc repro` rewrites"):
        photo_path(file, tmp_path / "ours", [(tmp_path / "ours").resolve()])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@given(cells.filter(lambda words: "\0" not in words))
@example("Ann;=1+1")
@example("Ann\n=1+1")
@example("\ufeff=1+1")
@example("x\r@SUM(1)")
@example(" ＝1+1")
def test_no_spreadsheet_runs_a_cell_as_a_formula(separator: str, words: str) -> None:
    """Also where it splits cells elsewhere, as those do whose decimal mark is a comma."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(["1", escape_csv_cell(words), "x"])
    line = text.getvalue()
    if separator == ",":
        (parts,) = csv.reader(io.StringIO(line, newline=""))
        assert len(parts) == 3
    else:
        parts = [part for row in re.split("[\r\n]", line) for part in row.split(separator)]
    for part in parts:
        start = part.lstrip(' \t\r\n\ufeff\u200b"')[:1]
        assert start not in set("=+-@＝＋－＠") or start == ""


def test_collected_rows_have_no_lone_carriage_returns() -> None:
    observation = {
        "id": 1,
        "quality_grade": "research",
        "taxon": {"name": "Panthera leo"},
        "description": "one\rtwo\r\nthree",
        "photos": [{"license_code": "cc0", "url": "http://x.org/photos/1/square.jpg"}],
    }
    (row,), _ = export_rows(observation, Query("Panthera leo", "research", ("cc0",)), 1)
    assert row["description"] == "one\ntwo\nthree"


_MILLION = """
import sys, time
from pathlib import Path
from panthera_vision.sources.observations import prepare_observations
from panthera_vision.data.photo_table import read_dataset, write_table
folder = Path(sys.argv[1])
began = time.perf_counter()
table, report = prepare_observations(folder, ["Panthera leo"])
write_table(table, folder / "dataset.csv")
assert len(read_dataset(folder / "dataset.csv")) == report.rows_kept == int(sys.argv[2])
(line,) = [l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM")]
print(f"{report.rows_kept} rows, {int(line.split()[1]) // 1024} MiB,"
      f" {time.perf_counter() - began:.0f} s")
"""


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
def test_a_million_rows(tmp_path: Path) -> None:
    count = 1_000_000
    with (tmp_path / EXPORT_FILE).open("w", encoding="utf-8", newline="") as file:
        file.write("id,image_url,scientific_name,user_login,observed_on,license,url,description\n")
        for n in range(count):
            file.write(
                f"{n},https://photos.example.org/photos/{n}/medium.jpg,Panthera leo melanochaita,"
                f"user{n % 5000},2020-05-{n % 28 + 1:02},CC-BY-NC,https://example.org/o/{n},"
                f'"A lion, lying in the sun, {n}"\n'
            )
    result = subprocess.run(
        [sys.executable, "-c", _MILLION, str(tmp_path), str(count)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    print("\n" + result.stdout, result.stderr)
    assert result.returncode == 0
    assert int(result.stdout.split(", ")[1].split()[0]) < 2048
