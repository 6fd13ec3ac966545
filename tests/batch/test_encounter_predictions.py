"""One answer for the photos of an encounter: by folder, by EXIF times, by a column of the table."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import torch
from PIL import ExifTags, Image

from panthera_vision.batch.batch_items import file_items
from panthera_vision.batch.batch_predict import BatchOptions, batch_predict
from panthera_vision.batch.encounter_predictions import (
    GroupBy,
    add_group_columns,
    parse_group_by,
    with_groups,
)
from panthera_vision.batch.input_files import find_photos
from panthera_vision.batch.output_formats import COLUMNS, GROUP_COLUMNS, Row
from panthera_vision.errors import UserError
from panthera_vision.models.prediction import Prediction

NOON = datetime(2024, 5, 1, 12)
THRESHOLD = 0.2


def row(file: str, score: float, leo: float, **more: object) -> Row:
    both = {"Panthera leo": leo, "Panthera onca": 1 - leo}
    return {"file": file, "reason": "", "ood_score": score, "probabilities": both, **more}


def grouped(rows: list[Row], group_by: GroupBy) -> tuple[list[Row], str]:
    with_columns, phrase = add_group_columns(lambda: iter(rows), group_by, THRESHOLD)
    return list(with_columns()), phrase


def test_photos_in_one_folder_get_one_answer_in_which_empty_frames_count_little() -> None:
    rows = [
        row("cam1/1.jpg", 1.5, 0.1),
        row("cam1/2.jpg", 0.05, 0.9),
        {"file": "cam1/3.jpg", "reason": "broken photo"},
        row("cam2/1.jpg", 1.5, 0.6),
        {"file": "cam3/1.jpg", "reason": "empty file"},
    ]
    found, phrase = grouped(rows, GroupBy("folder"))
    assert [each["group"] for each in found] == ["cam1", "cam1", "cam1", "cam2", "cam3"]
    assert [each.get("group_answer") for each in found] == [
        *["Panthera leo"] * 3,
        "none of these",
        "",
    ]
    assert found[0]["group_probability"] == pytest.approx(0.9, abs=0.01)
    assert [each["group_photos"] for each in found] == [2, 2, 2, 1, 0]
    assert found[3]["group_species"] == "Panthera leo"
    assert "3 groups (1 Panthera leo, 1 none of these, 1 no photo to combine)" in phrase
    assert "1 of a single photo" in phrase


def test_boxes_of_one_photo_are_combined_and_count_as_one_photo() -> None:
    rows = [
        row("cam1/1.jpg", 0.1, 0.9),
        row("cam1/1.jpg", 0.1, 0.8),
        {"file": "cam1/2.jpg", "reason": "", "answer": "blank"},
    ]
    found, _ = grouped(rows, GroupBy("folder"))
    assert [each["group_photos"] for each in found] == [1, 1, 1]
    assert {each["group_answer"] for each in found} == {"Panthera leo"}


def test_a_sequence_without_animals_takes_the_detector_s_answer() -> None:
    answers = ("cam1", "blank"), ("cam1", "person"), ("cam1", "blank"), ("cam2", "blank")
    rows = [
        {"file": f"{folder}/{number}.jpg", "reason": "", "answer": answer}
        for number, (folder, answer) in enumerate(answers)
    ]
    found, phrase = grouped(rows, GroupBy("folder"))
    assert [each["group_answer"] for each in found] == [*["person"] * 3, "blank"]
    assert "2 groups (1 person, 1 blank)" in phrase


def test_cells_of_a_column_join_photos_that_lie_apart_and_empty_cells_join_none() -> None:
    rows = [row("a.jpg", 0.1, 0.9), row("b.jpg", 0.1, 0.2), row("c.jpg", 0.1, 0.95)]
    cells = {"a.jpg": "7", "b.jpg": "", "c.jpg": "7"}
    found, phrase = grouped(rows, GroupBy("column", cells=cells))
    assert [each["group"] for each in found] == ["7", "b.jpg", "7"]
    assert [each["group_answer"] for each in found] == [
        "Panthera leo",
        "Panthera onca",
        "Panthera leo",
    ]
    assert "1 photos have no cell in that column and stay alone" in phrase


def test_photos_taken_within_the_gap_in_one_folder_are_combined(tmp_path: Path) -> None:
    exif = Image.Exif()
    rows = []
    for number, minutes in enumerate((40, 0, 20, 90, None)):
        if minutes is not None:
            time = NOON + timedelta(minutes=minutes)
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = time.strftime(
                "%Y:%m:%d %H:%M:%S"
            )
        file = tmp_path / f"{number}.jpg"
        picture = Image.new("RGB", (8, 8))
        picture.save(file, exif=exif) if minutes is not None else picture.save(file)
        rows.append(row(str(file), 0.1, 0.9))
    # A row with a reason may name a file outside the user's folder, which is not opened.
    outside = {"file": str(tmp_path / "0.jpg"), "reason": "outside the folder"}
    alone, _ = grouped([outside], GroupBy("gap", 30))
    assert alone[0]["group"] == str(tmp_path / "0.jpg")
    found, phrase = grouped(rows, GroupBy("gap", 30))
    first = f"{tmp_path} 2024-05-01 12:00:00"
    assert [each["group"] for each in found] == [
        *[first] * 3,
        f"{tmp_path} 2024-05-01 13:30:00",
        str(tmp_path / "4.jpg"),
    ]
    assert "1 photos have no EXIF time and stay alone" in phrase


def test_times_that_the_rows_have_already_are_taken() -> None:
    times = ("2024-05-01T12:00:00", "2024-05-01T12:20:00", None)
    rows = [row(f"{number}.jpg", 0.1, 0.9, taken_at=time) for number, time in enumerate(times)]
    found, _ = grouped(rows, GroupBy("gap", 30))
    assert [each["group"] for each in found] == [*[". 2024-05-01 12:00:00"] * 2, "2.jpg"]


def test_the_option_names_a_folder_a_gap_or_a_column() -> None:
    assert parse_group_by("folder") == (GroupBy("folder"), "")
    assert parse_group_by("gap") == (GroupBy("gap", 30), "")
    assert parse_group_by("gap:2.5") == (GroupBy("gap", 2.5), "")
    assert parse_group_by("observation_id") == (GroupBy("column"), "observation_id")
    for wrong in ("gap:", "gap:soon", "gap:-1", "gap:nan", "gap:9999"):
        with pytest.raises(UserError, match="minutes from 0 to 1440"):
            parse_group_by(wrong)


@pytest.mark.parametrize("name", ["table.csv", "table.jsonl"])
def test_a_column_of_the_input_table_is_read_and_a_wrong_one_is_named(
    tmp_path: Path, name: str
) -> None:
    for number in range(3):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.jpg")
    cells = ["=7", "", "8"]
    table = tmp_path / name
    if name.endswith("csv"):
        lines = [f"{number}.jpg,{cell}" for number, cell in enumerate(cells)]
        table.write_text("\n".join(["file,observation_id", *lines, ",9"]))
    else:
        records = [
            {"file": f"{n}.jpg", "observation_id": cell or None} for n, cell in enumerate(cells)
        ]
        table.write_text("\n".join(map(json.dumps, [*records, {"file": None}])))
    inputs = find_photos([table, tmp_path / "0.jpg"], "observation_id")
    assert inputs.cells == {str(tmp_path / f"{n}.jpg"): cell for n, cell in enumerate(cells)}
    assert inputs.rows_without_file == 1
    with pytest.raises(UserError, match="did you mean observation_id"):
        find_photos([table], "observation_ids")
    with pytest.raises(UserError, match=r"none was given.*folder or gap"):
        find_photos([tmp_path / "0.jpg"], "observation_id")


class Killed(BaseException):
    pass


class FixedPredictor:
    """A predictor that takes a photo's brightness for the probability, and may be killed."""

    class model:  # noqa: N801
        fingerprint = "a" * 64

        @staticmethod
        def preprocessing(photo: Image.Image) -> torch.Tensor:
            return torch.tensor(float(photo.convert("L").getpixel((0, 0))) / 255)

    def __init__(self, batches: int = 99) -> None:
        self._batches = iter(range(batches))
        self.model.preprocessing.min_decoded_side = None  # type: ignore[attr-defined]

    def predict(self, photos: torch.Tensor) -> Iterator[Prediction]:
        if next(self._batches, None) is None:
            raise Killed
        for p in photos.tolist():
            yield Prediction({"Panthera leo": p, "Panthera onca": 1 - p}, 0.1, False)


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl"])
def test_an_interrupted_run_ends_with_the_same_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for number in range(6):
        file = tmp_path / "photos" / f"=cam{number % 2}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 40 * number).save(file)
    items = file_items(find_photos([tmp_path / "photos"]).photos)
    options = with_groups(BatchOptions(2), GroupBy("folder"), {}, THRESHOLD)
    out = tmp_path / name
    whole = tmp_path / f"whole{name}"
    batch_predict(FixedPredictor(), items, whole, options)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        batch_predict(FixedPredictor(2), items, out, options)  # type: ignore[arg-type]
    summary = batch_predict(FixedPredictor(), items, out, options)  # type: ignore[arg-type]
    assert out.read_bytes() == whole.read_bytes()
    assert "2 groups (" in summary
    if name == "p.csv":
        with out.open(encoding="utf-8", newline="") as table:
            reader = csv.DictReader(table)
            assert reader.fieldnames == [*COLUMNS, *GROUP_COLUMNS]
            assert {each["group_photos"] for each in reader} == {"3"}
        monkeypatch.chdir(tmp_path / "photos")
        batch_predict(FixedPredictor(), file_items([Path("=cam0/0.png")]), out, options)  # type: ignore[arg-type]
        assert "'=cam0,Panthera" in out.read_text()
