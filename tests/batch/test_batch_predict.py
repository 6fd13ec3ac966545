"""Batch prediction: the table, the resume log, and the files, folders and tables it reads."""

import csv
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from panthera_vision.batch.batch_items import file_items
from panthera_vision.batch.batch_predict import BatchOptions, batch_predict
from panthera_vision.batch.input_files import find_photos
from panthera_vision.batch.output_formats import COLUMNS
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import read_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.inference.prefetch import prefetch
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier

from ..conftest import SPECIES, draw_photo, write_camera_photo


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    backbone = find_backbone("efficientnet_lite0", image_size=32)
    torch.manual_seed(1)
    return Predictor(
        TrainedModel(
            classifier=pretrained_classifier(backbone, SPECIES).eval(),
            backbone=backbone,
            class_names=SPECIES,
            preprocessing=backbone.preprocessing,
            ood_threshold=0.0,
            fingerprint="a" * 64,
        )
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of nine photos, four of them broken, and a note."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "sub" / "=кошки").mkdir(parents=True)
    for number in range(3):
        draw_photo(SPECIES[number], number).save(folder / f"{number}.jpg")
        draw_photo(SPECIES[number], number + 9).save(folder / "sub" / "=кошки" / f"{number}.PNG")
    whole = (folder / "0.jpg").read_bytes()
    (folder / "sub" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "sub" / "empty.jpg").write_bytes(b"")
    (folder / "sub" / "page.jpg").write_text("<html>")
    (folder / "note.txt").write_text("not a photo")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def predict(predictor: Predictor, photos: list[Path], out: Path) -> str:
    return batch_predict(predictor, file_items(photos), out, BatchOptions(2, threads=2))


def test_every_photo_gets_its_row_in_order(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    sources = find_photos([folder, folder / "0.jpg"])
    assert sources.skipped_note() == ", 1 other files skipped (1 .txt)"
    photos = [*sources.photos, folder / "missing.jpg"]
    summary = predict(predictor, photos, tmp_path / "new" / "predictions.csv")
    assert summary.startswith("6 photos classified (")
    assert "4 can't be read (" in summary
    rows = rows_of(tmp_path / "new" / "predictions.csv")
    assert list(rows[0]) == list(COLUMNS)
    assert [Path(row["file"]).name for row in rows] == [
        *("0.jpg", "1.jpg", "2.jpg", "cut.jpg", "empty.jpg", "page.jpg"),
        *("0.PNG", "1.PNG", "2.PNG", "missing.jpg"),
    ]
    reasons = {Path(row["file"]).name: row["reason"] for row in rows if row["reason"]}
    assert reasons == {
        "cut.jpg": "broken photo",
        "empty.jpg": "empty file",
        "page.jpg": "not a photo",
        "missing.jpg": "file missing",
    }
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "predictions.csv"]
    for row in rows:
        if row["reason"]:
            assert row["answer"] == row["species"] == row["probability"] == ""
            continue
        prediction = predictor.predict_image(read_photo(Path(row["file"])))
        assert (row["species"], row["runner_up"]) == (prediction.species, prediction.runner_up)
        assert float(row["probability"]) == pytest.approx(prediction.probability, abs=1e-4)
        assert float(row["ood_score"]) == pytest.approx(prediction.ood_score, abs=1e-3)
        declined = prediction.ood_score > 0
        assert row["answer"] == ("none of these" if declined else prediction.species)
        assert row["model"] == "a" * 64


def test_a_jpeg_that_lacks_only_its_end_marker_is_classified_with_a_note(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "no_end.jpg").write_bytes((folder / "0.jpg").read_bytes()[:-2])
    predict(predictor, [folder / "0.jpg", tmp_path / "no_end.jpg"], tmp_path / "p.csv")
    whole, cut = rows_of(tmp_path / "p.csv")
    assert (whole.pop("note"), cut.pop("note")) == ("", "end marker missing")
    assert cut | {"file": ""} == whole | {"file": ""}


def test_rows_have_the_time_and_the_place_of_exif(predictor: Predictor, tmp_path: Path) -> None:
    photos = [
        write_camera_photo(tmp_path / "gps.jpg"),
        write_camera_photo(tmp_path / "clock.jpg", place=None),
        tmp_path / "plain.png",
    ]
    draw_photo(SPECIES[0], 1).save(photos[2])
    places = {}
    for how in ("exact", "obscured", "none"):
        out = tmp_path / f"{how}.csv"
        batch_predict(predictor, file_items(photos), out, BatchOptions(2, coordinates=how))
        rows = rows_of(out)
        assert [row["taken_at"] for row in rows] == [*["2021-05-01T06:30:00"] * 2, ""]
        places[how] = [(row["latitude"], row["longitude"]) for row in rows]
    nowhere = ("", "")
    assert places["exact"] == [("-2.333333", "34.833333"), nowhere, nowhere]
    assert places["obscured"] == [("-2.3", "34.8"), nowhere, nowhere]
    assert places["none"] == [nowhere] * 3


def test_json_lines_have_the_same_columns_and_all_probabilities(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    photos = find_photos([folder]).photos
    for name in ("p.csv", "p.jsonl"):
        predict(predictor, photos, tmp_path / name)
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text("utf-8").splitlines()]
    for line, row in zip(lines, rows_of(tmp_path / "p.csv"), strict=True):
        probabilities = line.pop("probabilities")
        assert {name: "" if v is None else str(v) for name, v in line.items()} == row
        if not line["reason"]:
            assert set(probabilities) == set(SPECIES)
            assert sum(probabilities.values()) == pytest.approx(1, abs=1e-4)
    with pytest.raises(UserError, match=r"must end in \.csv or \.jsonl"):
        predict(predictor, photos, tmp_path / "p.xlsx")


class Killed(BaseException):
    pass


@pytest.mark.slow
@settings(
    deadline=None, max_examples=8, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(batches=st.integers(0, 3), lost=st.integers(0, 700))
def test_an_interrupted_run_resumes_and_ends_with_the_same_table(
    predictor: Predictor,
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    batches: int,
    lost: int,
) -> None:
    work = tmp_path_factory.mktemp("work")
    photos = find_photos([folder]).photos
    predict(predictor, photos, work / "whole.csv")
    done: list[torch.Tensor] = []

    class KilledPredictor(Predictor):
        def predict(self, photos: torch.Tensor) -> list:  # type: ignore[type-arg]
            if len(done) == batches:
                raise Killed
            done.append(photos)
            return super().predict(photos)

    with pytest.raises(Killed):
        predict(KilledPredictor(predictor.model), photos, work / "p.csv")
    assert not (work / "p.csv").exists()
    progress = work / "p.csv.progress"
    # The end of the log that had not reached the disk when the run was killed.
    os.truncate(progress, max(0, progress.stat().st_size - lost))
    summary = predict(predictor, photos, work / "p.csv")
    assert (work / "p.csv").read_bytes() == (work / "whole.csv").read_bytes()
    if batches > 1 and not lost:
        assert "by an interrupted run" in summary


def test_photos_and_models_that_changed_meanwhile_are_classified_again(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "photos")
    photos = find_photos([tmp_path / "photos"]).photos
    seen: list[int] = []

    class CountingPredictor(Predictor):
        stop_after = 99

        def predict(self, photos: torch.Tensor) -> list:  # type: ignore[type-arg]
            if len(seen) == self.stop_after:
                raise Killed
            seen.append(len(photos))
            return super().predict(photos)

    first = CountingPredictor(predictor.model)
    first.stop_after = 2
    with pytest.raises(Killed):
        predict(first, photos, tmp_path / "p.csv")
    assert sum(seen) == 3  # [0 1] [2 cut] [empty page] and not [=0 =1] [=2]
    shutil.copy(photos[2], photos[0])
    os.utime(photos[0], ns=(1, 1))
    seen.clear()
    predict(CountingPredictor(predictor.model), photos, tmp_path / "p.csv")
    assert sum(seen) == 5  # the changed one with its batch, and what was still to come
    seen.clear()
    other = CountingPredictor(replace(predictor.model, fingerprint="b" * 64))
    other.stop_after = 1
    with pytest.raises(Killed):
        predict(other, photos, tmp_path / "p.csv")
    seen.clear()
    predict(CountingPredictor(predictor.model), photos, tmp_path / "p.csv")
    assert sum(seen) == 6
    assert {row["model"] for row in rows_of(tmp_path / "p.csv")} == {"a" * 64}


def test_tables_name_photos_relative_to_their_folder(folder: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline"
    (pipeline / "data").mkdir(parents=True)
    shutil.copy(folder / "0.jpg", pipeline / "data" / "0.jpg")
    ours = pipeline / "data" / "photos.csv"
    ours.write_text("id,file,sha256,outcome\n1,0.jpg,x,ok\n2,,,HTTP 404\n")
    mine = pipeline / "mine.csv"
    mine.write_text("file\ndata/0.jpg\ndata/gone.jpg\n")
    sources = find_photos([ours, mine])
    assert sources.photos == [pipeline / "data" / "0.jpg", pipeline / "data" / "gone.jpg"]
    assert sources.rows_without_file == 1
    mine.write_text("name\nx.jpg\n")
    with pytest.raises(UserError, match="needs a column 'file'"):
        find_photos([mine])
    (folder / "sub" / "nothing").mkdir()
    with pytest.raises(UserError, match="no photo in"):
        find_photos([folder / "sub" / "nothing"])


def test_file_names_that_are_not_utf8_and_symlink_cycles(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    strange = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    shutil.copy(folder / "0.jpg", strange)
    (tmp_path / "round").symlink_to(tmp_path)
    photos = find_photos([tmp_path]).photos
    assert photos == [strange]
    for name in ("p.csv", "p.jsonl"):
        assert predict(predictor, photos, tmp_path / name).startswith("1 photos classified")


def test_prefetch_runs_a_bounded_number_of_jobs_ahead() -> None:
    begun = 0

    def job() -> int:
        nonlocal begun
        begun += 1
        return begun

    results: Iterator[int] = prefetch((job for _ in range(10_000)), ahead=8, threads=2)
    for number, _ in enumerate(results, 1):
        assert begun <= number + 8
    assert begun == 10_000
