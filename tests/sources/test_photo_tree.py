"""Folders of one's own photos become a table: names of folders, EXIF, labels, settings."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from panthera_vision.cli.main import main
from panthera_vision.errors import UserError
from panthera_vision.parameters import PrepareParameters, read_parameters
from panthera_vision.sources.observations import prepare_observations
from panthera_vision.sources.photo_tree import read_photo_tree, species_named

from ..conftest import REPOSITORY, draw_photo, write_camera_photo

LEO = "Panthera leo"
PARAMS = REPOSITORY / "cv-classification-dvc-pipeline" / "params.yaml"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of photos in a pipeline's folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PARAMS, "params.yaml")
    for number in range(3):
        write_camera_photo(
            Path(f"mine/Panthera_leo/camera {number}/IMG_1.JPG"),
            time=f"2021:05:0{number + 1} 06:30:00",
            artist="Ann B." if number else "",
        )
        write_camera_photo(Path(f"mine/snow leopards/{number}.jpg"), place=None)
        draw_photo(LEO, number).save(_folder("mine/Vulpes_vulpes_fulva") / f"{number}.png")
    draw_photo(LEO, 5).save(_folder("mine/DCIM") / "1.jpg")
    draw_photo(LEO, 6).save(_folder("mine/Panthera leoo") / "1.jpg")
    whole = Path("mine/Panthera_leo/camera 0/IMG_1.JPG").read_bytes()
    (Path("mine/Panthera_leo") / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    (Path("mine/Panthera_leo") / "notes.txt").write_text("x")
    return Path("mine")


def _folder(name: str) -> Path:
    Path(name).mkdir(parents=True, exist_ok=True)
    return Path(name)


def init(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run `panthera init`; return the exit code and the line that it printed."""
    code = 0
    try:
        main(["init", *words])
    except SystemExit as exit:
        code = int(exit.code or 0)
    printed = capsys.readouterr()
    return code, printed.err if code else printed.out


def table_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "observations.csv", dtype=str, keep_default_na=False)


def test_species_of_nested_folders_and_exif_become_a_table_that_prepare_reads(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = init(capsys, "mine")
    assert code == 0
    assert "9 photos of 3 species (" in line
    assert "3 Vulpes vulpes (check the spelling)" in line
    assert "6 with an EXIF time, 3 with a place" in line
    assert "1 in 'DCIM', 1 in 'Panthera leoo' (Panthera leo?)" in line
    assert "1 broken photo, such as mine/Panthera_leo/broken.jpg" in line
    assert "1 other files skipped (1 .txt)" in line
    table = table_of(photos).set_index("image_url")
    lion = table.loc["Panthera_leo/camera 1/IMG_1.JPG"]
    assert (lion["observed_on"], lion["taken_at"]) == ("2021-05-02", "2021-05-02T06:30:00")
    assert (lion["user_login"], lion["latitude"]) == ("Ann B.", "-2.333333")
    assert table.loc["Panthera_leo/camera 0/IMG_1.JPG", "user_login"] == ""
    assert table["id"].is_unique
    prepared, report = prepare_observations(photos, [LEO, "Panthera uncia", "Vulpes vulpes"])
    assert report.rows_kept == 9
    assert set(prepared["taxon"]) == {LEO, "Panthera uncia", "Vulpes vulpes fulva"}


def test_the_settings_of_the_pipeline_are_set_and_keep_their_comments(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("params.yaml").read_text()
    _, line = init(capsys, "mine")
    assert "train with `dvc repro`" in line
    settings = read_parameters("prepare", PrepareParameters)
    assert settings.observations == Path("mine")
    assert settings.allowed_species == (LEO, "Panthera uncia", "Vulpes vulpes")
    after = Path("params.yaml").read_text()
    changed = set(before.splitlines()) ^ set(after.splitlines())
    assert all("observations:" in each or each.startswith("    - ") for each in changed)


def test_a_second_run_changes_nothing_and_new_photos_need_force(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(capsys, "mine")
    before = [path.read_bytes() for path in (photos / "observations.csv", Path("params.yaml"))]
    code, line = init(capsys, "mine")
    assert code == 0 and "is up to date; params.yaml is set" in line
    after = [path.read_bytes() for path in (photos / "observations.csv", Path("params.yaml"))]
    assert before == after
    write_camera_photo(photos / "Panthera_leo" / "new.jpg")
    code, line = init(capsys, "mine")
    assert code == 1 and "1 rows are new, 0 are gone" in line and "--force" in line
    assert (photos / "observations.csv").read_bytes() == before[0]
    code, _ = init(capsys, "mine", "--force")
    assert code == 0 and len(table_of(photos)) == 10


def test_settings_that_name_other_observations_are_kept_without_force(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (_folder("export") / "observations.csv").write_text("id,image_url,scientific_name\n")
    settings = yaml.safe_load(Path("params.yaml").read_text())
    settings["prepare"]["observations"] = "export"
    Path("params.yaml").write_text(yaml.safe_dump(settings))
    _, line = init(capsys, "mine")
    assert "params.yaml trains on export; --force sets prepare.observations: mine" in line
    assert read_parameters("prepare", PrepareParameters).observations == Path("export")
    init(capsys, "mine", "--force")
    assert read_parameters("prepare", PrepareParameters).observations == Path("mine")


def test_a_table_elsewhere_names_the_photos_and_the_folder_they_may_lie_in(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("params.yaml").unlink()
    _, line = init(capsys, "mine", "--out", "tables/observations.csv")
    assert "set in the pipeline's params.yaml: prepare.observations: tables" in line
    assert "download.local_photos: mine" in line
    addresses = table_of(Path("tables"))["image_url"]
    assert all((Path("tables") / address).is_file() for address in addresses)


def test_photos_in_one_folder_get_their_species_from_a_table(
    tmp_path: Path,
) -> None:
    for name in "abc":
        draw_photo(LEO, ord(name)).save(_folder(str(tmp_path / "flat")) / f"{name}.jpg")
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "File;Label;group;observed_on\nflat/a.jpg;Jaguar;x;2020-01-02\nB.jpg;Panthera onca;y;\n"
    )
    with pytest.raises(UserError, match="a column file or filename and a column scientific_name"):
        read_photo_tree(tmp_path / "flat", tmp_path, labels=_written(tmp_path / "x.csv", "a\n1\n"))
    tree = read_photo_tree(tmp_path / "flat", tmp_path / "flat", labels=labels)
    assert [(row["image_url"], row["scientific_name"], row["group"]) for row in tree.rows] == [
        ("a.jpg", "Panthera onca", "x"),
        ("b.jpg", "Panthera onca", "y"),
    ]
    assert tree.rows[0]["observed_on"] == "2020-01-02"
    assert tree.unnamed == {".": 1}


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_places_are_left_out_on_request(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(capsys, "mine", "--coordinates", "none")
    assert set(table_of(photos)["latitude"]) == {""}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("Panthera_leo", LEO),
        ("panthera leo", LEO),
        ("Panthera leo melanochaita", "Panthera leo melanochaita"),
        ("LIONS", LEO),
        ("Снежный барс", "Panthera uncia"),
        ("Uncia uncia", "Panthera uncia"),
        ("Vulpes_vulpes", "Vulpes vulpes"),
        ("vulpes_vulpes", ""),
        ("camera 1", ""),
        ("Panthera", ""),
        ("Panthera leo x tigris", ""),
        ("Panthera tigrs", ""),
        ("..", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_folder_is_a_species_or_none(folder: str, name: str) -> None:
    assert species_named(folder) == name


def test_a_folder_without_named_photos_is_one_line(tmp_path: Path) -> None:
    draw_photo(LEO, 1).save(_folder(str(tmp_path / "DCIM")) / "1.jpg")
    for folder, message in (
        (tmp_path / "missing", "is not a folder"),
        (tmp_path / "DCIM", r"no photo whose folder names a species.*1 in '\.'"),
    ):
        with pytest.raises(UserError, match=message) as caught:
            read_photo_tree(folder, folder)
        assert "\n" not in str(caught.value)


def test_prepare_says_how_folders_of_photos_become_a_table(photos: Path) -> None:
    with pytest.raises(UserError, match=r"mine has photos but no table.*`panthera init mine`"):
        prepare_observations(photos, [LEO])
