"""Reading Camtrap DP packages: labels, groups, licences, archives, and hostile packages."""

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from panthera_vision.errors import UserError
from panthera_vision.sources.camtrap_dp.package import find_package, open_package
from panthera_vision.sources.observations import read_observations

from .camtrap_packages import deployment, descriptor, medium, seen, write_package

TIGER, LEOPARD = "Panthera tigris", "Panthera pardus"


def read(folder: Path) -> tuple[list[dict[str, str]], Any]:
    table, report = read_observations(folder, [LEOPARD, TIGER])
    return table.to_dict("records"), report


def test_a_photo_gets_label_place_day_rights_and_the_group_of_its_location(tmp_path: Path) -> None:
    write_package(tmp_path, [medium("m1")], [seen("o1", "m1", "Panthera tigris tigris")])
    (row,), report = read(tmp_path)
    assert report.source == "Camtrap DP package"
    assert row["species"] == TIGER
    assert row["taxon"] == "Panthera tigris tigris"
    assert row["image_url"] == "media/m1.jpg"
    assert row["observed_on"] == "2023-05-01"  # of the camera's zone: still 30 April in UTC
    assert (row["place"], row["latitude"], row["longitude"]) == ("Ford 1", "28.21", "80.5")
    assert row["license"] == "CC-BY-NC"
    assert row["attribution"] == "(c) Valley Trust, some rights reserved (CC BY-NC)"
    assert row["observation_url"] == "https://doi.org/10.5072/cats"
    assert row["tags"] == "deployment:dep1 | location:loc1"


def test_each_medium_without_one_species_is_dropped_for_its_reason(tmp_path: Path) -> None:
    media = [medium(f"m{number}") for number in range(1, 9)] + [
        medium("film", fileMediatype="video/mp4"),
        medium("sound", fileMediatype="audio/wav"),
        medium("secret", filePath="https://example.org/secret.jpg"),
        medium("up", filePath="../up.jpg"),
        medium("drive", filePath="C:\\cats\\1.jpg"),
    ]
    observations = [
        seen("o1", "m1"),
        seen("o2", "m2", "", observationType="blank"),
        seen("o3", "m3", "", observationType="human"),
        seen("o4", "m4"),
        seen("o5", "m4", LEOPARD),
        seen("o6", "m5", "", cameraSetupType="setup"),
        seen("o7", "m6", classificationMethod="machine"),
        seen("o8", "m7", ""),
        *(seen(f"x{each}", each) for each in ("film", "sound", "secret", "up", "drive")),
    ]
    write_package(tmp_path, media, observations)
    rows, report = read(tmp_path)
    assert [row["id"] for row in rows] == ["m1"]
    assert report.dropped_by_reason == {
        "an animal without a scientific name": 1,
        "audio": 1,
        "blank": 1,
        "camera setup": 1,
        "classified only by a machine (review it and set classificationMethod to human)": 1,
        "file path outside the package": 2,
        "human": 1,
        "no observation": 1,
        "several species on one photo": 1,
        "video": 1,
        "web address that is not public (filePublic is false)": 1,
    }


def test_observations_of_events_label_their_photos_unless_a_photo_has_its_own(
    tmp_path: Path,
) -> None:
    times = ["2023-05-01T05:00:10+05:45", "2023-04-30T23:15:20Z", "2023-05-01T05:09:00+05:45"]
    media = [medium(f"m{n}", timestamp=each) for n, each in enumerate(times)]
    event = {"mediaID": "", "observationLevel": "event", "eventEnd": "2023-05-01T05:01:00+05:45"}
    observations = [seen("o1", "", **event), seen("o2", "m1", "", observationType="blank")]
    write_package(tmp_path, media, observations)
    rows, report = read(tmp_path)
    assert [row["id"] for row in rows] == ["m0"]
    assert report.dropped_by_reason == {"blank": 1, "no observation": 1}
    assert any(note.startswith("labels are of an event") for note in report.notes)


@pytest.mark.parametrize(
    ("places", "groups"),
    [
        (["a", "a", "b", "c"], ["location a", "location a", "location b", "location c"]),
        (["a", "a", "a", "b"], [f"deployment dep{n}" for n in (1, 2, 3, 4)]),
    ],
)
def test_photos_of_one_location_stay_together_while_three_groups_are_left(
    tmp_path: Path, places: list[str], groups: list[str]
) -> None:
    numbers = range(1, 5)
    write_package(
        tmp_path,
        [medium(f"m{n}", n) for n in numbers],
        [seen(f"o{n}", f"m{n}") for n in numbers],
        [deployment(n, locationID=place) for n, place in zip(numbers, places, strict=True)],
    )
    rows, _ = read(tmp_path)
    assert [row["group"] for row in rows] == groups


def test_two_deployments_are_divided_by_day_and_the_report_warns(tmp_path: Path) -> None:
    media = [medium(f"m{day}", timestamp=f"2023-05-0{day}T05:00:00Z") for day in range(1, 5)]
    write_package(tmp_path, media, [seen(f"o{day}", f"m{day}") for day in range(1, 5)])
    rows, report = read(tmp_path)
    assert rows[0]["group"] == "deployment dep1 on 2023-05-01"
    assert any("share backgrounds" in note for note in report.notes)


def test_a_media_id_that_is_no_file_name_becomes_a_hash(tmp_path: Path) -> None:
    name = "https://example.org/../a b"
    write_package(tmp_path, [medium(name, filePath="media/1.jpg")], [seen("o1", name)])
    (row,), _ = read(tmp_path)
    assert row["id"].startswith("media-")


def zipped(package: Path, archive: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(package.rglob("*")):
            file.write(path, f"{inside}{path.relative_to(package)}")
    return archive


@pytest.mark.parametrize("inside", ["", "export/"])
def test_an_archive_is_unpacked_beside_itself_once(tmp_path: Path, inside: str) -> None:
    package = write_package(tmp_path / "p", [medium("m1")], [seen("o1", "m1")], photos=True)
    folder = tmp_path / "source"
    folder.mkdir()
    zipped(package, folder / "valley.zip", inside)
    for _ in range(2):
        (row,), report = read(folder)
        assert row["image_url"] == f"valley/{inside}media/m1.jpg"
        assert (folder / row["image_url"]).is_file()
        assert report.file == str(folder / "valley.zip")
    assert sorted(path.name for path in folder.iterdir()) == ["valley", "valley.zip"]


def test_an_archive_never_replaces_a_folder_that_is_not_from_it(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", [medium("m1")], [seen("o1", "m1")])
    folder = tmp_path / "source"
    (folder / "valley").mkdir(parents=True)
    (folder / "valley" / "mine.txt").write_text("mine")
    zipped(package, folder / "valley.zip")
    with pytest.raises(UserError, match="is there already and is not from it"):
        read(folder)
    assert (folder / "valley" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.csv", "leads out of the folder"),
        ("/etc/evil.csv", "leads out of the folder"),
        ("C:\\evil.csv", "leads out of the folder"),
        ("a\\..\\..\\evil.csv", "leads out of the folder"),
        ("MEDIA.csv", "is there twice"),
    ],
)
def test_an_archive_with_such_a_name_in_it_is_not_unpacked(
    tmp_path: Path, name: str, reason: str
) -> None:
    package = write_package(tmp_path / "p", [medium("m1")], [seen("o1", "m1")])
    folder = tmp_path / "source"
    folder.mkdir()
    with zipfile.ZipFile(zipped(package, folder / "v.zip"), "a") as file:
        file.writestr(name, "x")
    with pytest.raises(UserError, match=reason):
        read(folder)
    assert [path.name for path in folder.iterdir()] == ["v.zip"]
    assert not (tmp_path / "evil.csv").exists()


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = write_package(tmp_path / "p", [medium("m1")], [seen("o1", "m1")])
    monkeypatch.setattr("panthera_vision.io.zip_archives.ALWAYS_ALLOWED_BYTES", 1 << 20)
    archive = zipped(package, tmp_path / "v.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros.bin", bytes(20 << 20))
    with pytest.raises(UserError, match="decompression bomb"):
        open_package(archive)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", [medium("m1")], [seen("o1", "m1")], photos=True)
    archive = zipped(package, tmp_path / "v.zip")
    data = bytearray(archive.read_bytes())
    data[200] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(UserError, match=r"v\.zip is no ZIP archive, or is damaged"):
        open_package(archive)


def test_half_a_surrogate_pair_in_the_descriptor_is_replaced(tmp_path: Path) -> None:
    write_package(tmp_path, [medium("m1")], [seen("o1", "m1")])
    changed = descriptor(contributors=[{"title": "Ann \ud800", "role": "rightsHolder"}])
    (tmp_path / "datapackage.json").write_text(json.dumps(changed))
    assert read(tmp_path)[0][0]["attribution"].startswith("(c) Ann ?,")


@pytest.mark.parametrize("version", ["1.0", "1.0.1", "1.0.2", "1.1", "main"])
def test_versions_from_1_0_are_read(tmp_path: Path, version: str) -> None:
    write_package(tmp_path, [medium("m1")], [seen("o1", "m1")], version=version)
    assert len(read(tmp_path)[0]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (descriptor("0.6"), r"Camtrap DP 0\.6; export the package as version 1\.0"),
        (descriptor(resources=[]), "needs the resources deployments, media, observations"),
        ([], "holds no JSON object"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_descriptor_that_is_no_package_gives_one_line(
    tmp_path: Path, content: Any, message: str
) -> None:
    write_package(tmp_path, [medium("m1")], [seen("o1", "m1")])
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "datapackage.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read(tmp_path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../media.csv", "outside the package"),
        ("/etc/passwd.csv", "outside the package"),
        ("https://example.org/media.csv", "download it into the package"),
        ("media.parquet", "only CSV tables"),
        ("absent.csv", "does not exist"),
        ("a\0b.csv", "outside the package"),
        (["media.csv", "../media.csv"], "outside the package"),
        (7, "names no file"),
    ],
)
def test_a_table_must_be_a_csv_file_in_the_package(tmp_path: Path, path: Any, message: str) -> None:
    folder = write_package(tmp_path / "p", [medium("m1")], [seen("o1", "m1")])
    (tmp_path / "media.csv").write_text("mediaID,deploymentID,filePath\n")
    changed = descriptor()
    changed["resources"][1]["path"] = path
    (folder / "datapackage.json").write_text(json.dumps(changed))
    with pytest.raises(UserError, match=message):
        read(folder)


def test_a_table_in_several_files_is_read_as_one(tmp_path: Path) -> None:
    write_package(tmp_path, [medium("m1")], [seen("o1", "m1"), seen("o2", "m2")])
    header, line = (tmp_path / "media.csv").read_text().splitlines()
    (tmp_path / "more.csv").write_text(f"{header}\n{line.replace('m1', 'm2')}\n")
    changed = descriptor()
    changed["resources"][1]["path"] = ["media.csv", "more.csv"]
    (tmp_path / "datapackage.json").write_text(json.dumps(changed))
    assert [row["id"] for row in read(tmp_path)[0]] == ["m1", "m2"]


@pytest.mark.parametrize(
    ("table", "content", "message"),
    [
        ("media", b"mediaID;filePath\nm1;a.jpg\n", "column 'deploymentID' is missing"),
        ("observations", b"observationID\no1\n", "column 'observationType' is missing"),
        ("media", b"", "is empty"),
        ("deployments", b"deploymentID,locationName\ndep1,For\xeat\n", "not UTF-8"),
        ("deployments", b"deploymentID\n", "no rows"),
    ],
)
def test_a_broken_table_gives_one_line(
    tmp_path: Path, table: str, content: bytes, message: str
) -> None:
    write_package(tmp_path, [medium("m1")], [seen("o1", "m1")])
    (tmp_path / f"{table}.csv").write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_with_two_archives_of_packages_names_none(tmp_path: Path) -> None:
    package = write_package(tmp_path / "p", [medium("m1")], [seen("o1", "m1")])
    for name in ("a.zip", "b.zip"):
        zipped(package, tmp_path / name)
    assert find_package(tmp_path) is None


@pytest.mark.slow
def test_a_hundred_thousand_photos_are_read_in_linear_time(tmp_path: Path) -> None:
    count = 100_000
    write_package(tmp_path, [], [])
    with (tmp_path / "media.csv").open("a") as media:
        media.writelines(
            f"m{n},dep{n % 5 + 1},,2023-05-01T05:00:00Z,media/{n}.jpg,true,,image/jpeg,,,\n"
            for n in range(count)
        )
    with (tmp_path / "observations.csv").open("a") as observations:
        rest = "," * 18
        observations.writelines(
            f"o{n},dep1,m{n},,2023-05-01T05:00:00Z,,media,animal,,{TIGER}{rest}\n"
            for n in range(count)
        )
    begin = time.process_time()
    rows, _ = read(tmp_path)
    assert len(rows) == count
    assert time.process_time() - begin < 30  # about 3 s; a quadratic reader takes hours
