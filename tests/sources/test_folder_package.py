"""A Camtrap DP package of a folder of photos and a table of deployments, and what is refused."""

import csv
import json
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from panthera_vision.cli import package
from panthera_vision.cli.runner import build_parser
from panthera_vision.errors import UserError

from ..conftest import draw_photo
from .camtrap_packages import table_schema


def save_photo(path: Path, time: str = "", offset: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    part = exif.get_ifd(ExifTags.IFD.Exif)
    if time:
        part[ExifTags.Base.DateTimeOriginal] = time
    if offset:
        part[ExifTags.Base.OffsetTimeOriginal] = offset
    draw_photo("Panthera tigris", len(str(path))).save(path, exif=exif)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "valley"
    save_photo(folder / "ford" / "2.jpg", "2023:05:02 06:00:00", "+05:30")
    save_photo(folder / "ford" / "100MEDIA" / "1.JPG", "2023:05:01 05:00:00", "+05:30")
    save_photo(folder / "ridge" / "3.jpe", "2023:05:03 07:00:00")
    return folder


def run(folder: Path, table: str, *words: str) -> str:
    cameras = folder.parent / "cameras.csv"
    cameras.write_text(table, encoding="utf-8")
    fixed = ["--deployments", str(cameras), "--title", "Cats", "--contact", "Ann Field"]
    arguments = [str(folder), *fixed, "--sampling-design", "opportunistic", *words]
    return package.main(build_parser(package).parse_args(arguments))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TABLE = "deploymentID,latitude,longitude,utc_offset\nford,28.2,80.5,\nridge,28.3,80.6,+05:45\n"


def test_a_folder_becomes_a_valid_package(folder: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    assert run(folder, TABLE).startswith("package: 3 photos of 2 deployments; ")
    media = rows(folder / "media.csv")
    assert [(row["deploymentID"], row["timestamp"], row["filePath"]) for row in media] == [
        ("ford", "2023-05-02T06:00:00+05:30", "ford/2.jpg"),
        ("ford", "2023-05-01T05:00:00+05:30", "ford/100MEDIA/1.JPG"),
        ("ridge", "2023-05-03T07:00:00+05:45", "ridge/3.jpe"),
    ]
    assert [row["fileMediatype"] for row in media] == ["image/jpeg"] * 3
    ford = rows(folder / "deployments.csv")[0]
    assert ford["deploymentStart"] == "2023-05-01T05:00:00+05:30"
    assert ford["deploymentEnd"] == "2023-05-02T06:00:00+05:30"
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert described["temporal"] == {"start": "2023-05-01", "end": "2023-05-03"}
    assert described["spatial"]["coordinates"][0][0] == [80.5, 28.2]
    del described["profile"]
    for resource in described["resources"]:
        resource["schema"] = table_schema(resource["name"])
    report = frictionless.Package.from_descriptor(described, basepath=str(folder)).validate()
    assert report.valid, report.to_summary()


def test_cameras_in_a_row_are_points(folder: Path) -> None:
    run(folder, TABLE.replace("80.6", "80.5"))
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert described["spatial"] == {
        "type": "MultiPoint",
        "coordinates": [[80.5, 28.2], [80.5, 28.3]],
    }


def test_photos_without_time_zone_or_deployment_are_counted(folder: Path) -> None:
    save_photo(folder / "ford" / "4.jpg")
    save_photo(folder / "ford" / "..5.jpg", "2023:05:02 06:00:00", "+05:30")
    save_photo(folder / "6.jpg", "2023:05:02 06:00:00", "+05:30")
    line = run(folder, TABLE.replace("+05:45", ""))
    for reason in ("1 without an EXIF time", "1 without a time zone", "1 not in the folder of"):
        assert reason in line
    assert line.startswith("package: 2 photos of 1 deployments, 3 left out")
    assert "1 hidden or system files skipped" in line


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("deploymentID,latitude,longitude\nford,28,80\nRidge,28,80\n", "'ridge' 'Ridge'"),
        ("deploymentID,latitude\nford,28\n", "column 'longitude' is missing"),
        (TABLE.replace("28.2", ""), "latitude '' of 'ford' is no coordinate"),
        (TABLE.replace("80.5", "200"), "longitude '200' of 'ford' is no coordinate"),
        (TABLE.replace("80.5", "nan"), "longitude 'nan' of 'ford' is no coordinate"),
        (TABLE.replace("+05:45", "Kathmandu"), r"utc_offset 'Kathmandu' of 'ridge'"),
        (TABLE.replace("ridge,", "ford,"), "deploymentID 'ford' is twice"),
        (
            "deploymentID,latitude,longitude,deploymentStart\nford,28,80,1 May 2023\n",
            "write a time with its zone",
        ),
    ],
)
def test_a_table_that_does_not_say_where_the_cameras_were_is_refused(
    folder: Path, table: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run(folder, table)
    assert not (folder / "media.csv").exists()


def test_nothing_is_overwritten_without_force(folder: Path) -> None:
    (folder / "observations.csv").write_text("mine")
    with pytest.raises(UserError, match=r"has observations\.csv; --force replaces them"):
        run(folder, TABLE)
    assert (folder / "observations.csv").read_text() == "mine"
    run(folder, TABLE, "--force")
    (folder / "deployments.csv").write_text(TABLE)
    words = ["--deployments", str(folder / "deployments.csv")]
    with pytest.raises(UserError, match="would be overwritten; rename it"):
        run(folder, TABLE, "--force", *words)


def test_what_is_missing_is_named_in_one_line(folder: Path) -> None:
    with pytest.raises(UserError, match="needs the coordinates of its deployments"):
        run(folder, TABLE, "--deployments", "absent.csv")
    with pytest.raises(UserError, match="--sampling-design random: allowed are simpleRandom"):
        run(folder, TABLE, "--sampling-design", "random")
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match="no photo can be used; 0 photos"):
        run(folder / "empty", TABLE)
