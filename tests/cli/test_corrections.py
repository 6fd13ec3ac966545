"""The loop from predictions to corrections and back to training photos, at the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from panthera_vision.cli.main import main
from panthera_vision.data.corrections import Correction, append_corrections, read_corrections
from panthera_vision.data.photo_table import read_table
from panthera_vision.data.proposed_photos import read_proposed_photos
from panthera_vision.sources.labeled_photos import export_labeled_photos

from ..conftest import REPOSITORY, SPECIES, draw_photo, write_camera_photo

CORRECTIONS = Path("data/corrections.csv")
PREPARE = REPOSITORY / "cv-classification-dvc-pipeline/src/prepare.py"
LION, LEOPARD = "Panthera leo", "Panthera pardus"


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty pipeline's folder, as the working directory."""
    folder = tmp_path / "pipeline"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def panthera(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(list(arguments))
    return capsys.readouterr().out


def write_verdicts(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["id,given_species,verdict", *lines]) + "\n")


def test_verdicts_are_imported_once(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_verdicts(pipeline / "review.csv", f"1,{LION},leopard", f"2,{LION},", f"3,{LION},ok")
    line = panthera(capsys, "corrections", "import", "review.csv", "--reviewer", "Ann")
    assert line.startswith("corrections: 2 verdicts imported, 0 were there already, 1 lines")
    line = panthera(capsys, "corrections", "import", "review.csv")
    assert line.startswith("corrections: 0 verdicts imported, 2 were there already")
    assert [(each.id, each.reviewer) for each in read_corrections(CORRECTIONS)] == [
        ("1", "Ann"),
        ("3", "Ann"),
    ]
    assert "2 photos (1 Panthera pardus, 1 correct)" in panthera(capsys, "corrections", "show")


def test_nothing_is_imported_of_two_tables_if_one_cannot_be_read(
    pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_verdicts(pipeline / "good.csv", f"1,{LION},leopard")
    write_verdicts(pipeline / "bad.csv", f"1,{LION},whatever")
    with pytest.raises(SystemExit):
        panthera(capsys, "corrections", "import", "good.csv", "bad.csv")
    assert not CORRECTIONS.exists()
    assert "line 2: 'whatever'" in capsys.readouterr().err


def write_export(folder: Path) -> None:
    """Write an export with twelve photos of each species, each of another observer."""
    folder.mkdir()
    lines = ["id,image_url,scientific_name,user_login,observed_on"]
    for number in range(60):
        species = SPECIES[number % 5]
        lines.append(f"{number},https://x.org/{number}.jpg,{species},u{number},2024-01-01")
    (folder / "observations.csv").write_text("\n".join(lines) + "\n")


def prepare(export: Path) -> str:
    command = [sys.executable, str(PREPARE), "--observations", str(export)]
    command += ["--labeled", "data/labeled_photos", "--corrections", str(CORRECTIONS)]
    command += ["--dataset", "data/dataset.csv", "--report", "report.json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout


@pytest.mark.slow
def test_prepare_applies_corrections_and_moves_no_other_photo(pipeline: Path) -> None:
    (pipeline / "params.yaml").write_text("prepare: {}\nsplit: {}\ndownload: {}\n")
    write_export(pipeline / "export")
    prepare(Path("export"))
    before = read_table(Path("data/dataset.csv"), ["split"]).set_index("id")
    assert "verdict" not in before
    append_corrections(
        CORRECTIONS,
        [
            Correction("0", "", "species", species=LEOPARD),
            Correction("1", "", "unusable", reason="no animal"),
            Correction("99", "", "correct"),
        ],
    )
    camera = write_camera_photo(pipeline / "trip/1.jpg", artist="Ann")
    export_labeled_photos(pipeline / "data/labeled_photos", {camera: LION})
    line = prepare(Path("export"))
    assert "2 corrections in effect (1 no animal, 1 relabeled)" in line
    assert "1 name photos that are no longer there" in line
    assert "1 photos labeled in the review were added" in line
    after = read_table(Path("data/dataset.csv"), ["split"]).set_index("id")
    assert after.loc["0", ["species", "taxon", "verdict"]].tolist() == [
        LEOPARD,
        LEOPARD,
        "species",
    ]
    rest = before.index.drop(["0", "1"])
    columns = ["species", "split", "image_url"]
    assert after.loc[rest, columns].equals(before.loc[rest, columns])
    (new,) = set(after.index) - set(before.index)
    assert after.loc[new, "split"] == "train"
    assert (Path("export") / after.loc[new, "image_url"]).is_file()


def test_proposed_photos_are_labeled_and_exported(
    pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trip = pipeline.parent / "trip"
    for number in range(6):
        write_camera_photo(trip / f"{number}.jpg", artist="Ann")
    (trip / "copy.jpg").write_bytes((trip / "0.jpg").read_bytes())
    draw_photo(LEOPARD, 9).save(trip / "leopard.png")
    (trip / "broken.jpg").write_bytes(b"no photo")
    line = panthera(capsys, "propose", str(trip), "--count", "3")
    assert "propose: " in line and "1 unreadable" in line and "copies" in line
    proposed = read_proposed_photos(Path("results/proposed_photos.csv"))
    assert [each.rank for each in proposed] == list(range(1, len(proposed) + 1))
    assert len({each.sha256 for each in proposed}) == len(proposed)
    assert all(0 <= each.confidence <= 1 and each.is_intact() for each in proposed)
    assert "base64" in Path("results/proposed_photos.html").read_text()

    with pytest.raises(SystemExit):
        panthera(capsys, "corrections", "export")
    assert "none of the" in capsys.readouterr().err
    append_corrections(
        CORRECTIONS, [Correction("", proposed[0].sha256, "species", species=LEOPARD)]
    )
    line = panthera(capsys, "corrections", "export", "--photographer", "Ben")
    assert line.startswith("corrections: 1 photos exported; 1 photos of 1 species")
    table = read_table(Path("data/labeled_photos/observations.csv"), ["user_login"])
    assert table["scientific_name"].tolist() == [LEOPARD]
