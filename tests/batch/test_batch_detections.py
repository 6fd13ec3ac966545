"""Classify what a detector found: rows for boxes, MegaDetector's format, sorting into folders."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from panthera_vision.batch.batch_items import file_items
from panthera_vision.batch.batch_predict import BatchOptions, batch_predict
from panthera_vision.batch.detection_items import CropOptions, DetectionItems
from panthera_vision.batch.megadetector_json import MegaDetectorJson
from panthera_vision.batch.output_formats import BOX_COLUMNS, COLUMNS, WRITERS
from panthera_vision.batch.sort_into import SortInto
from panthera_vision.detections import boxes
from panthera_vision.detections.megadetector import open_detections
from panthera_vision.errors import UserError
from panthera_vision.images import decoding
from panthera_vision.images.decoding import read_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.backbones import find_backbone
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.models.classifier import pretrained_classifier

from ..conftest import SPECIES, write_camera_photo
from ..detections.made_detections import detection, make_folder, write_json


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    backbone = find_backbone("efficientnet_lite0", image_size=32)
    torch.manual_seed(1)
    network = pretrained_classifier(backbone, SPECIES).eval()
    return Predictor(
        TrainedModel(network, backbone, SPECIES, backbone.preprocessing, fingerprint="f")
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_folder(tmp_path / "study")
    return tmp_path / "study"


def predict(
    predictor: Predictor, folder: Path, out: Path, md: str = "md.json", **options: Any
) -> str:
    source = open_detections(folder.parent / md)
    items = DetectionItems(source, folder, CropOptions(None, 0.1))
    writers = {**WRITERS, ".json": MegaDetectorJson("f", SPECIES, source)}
    columns = (*COLUMNS, *BOX_COLUMNS)
    batch = BatchOptions(2, 2, columns, writers, settings=items.settings(), **options)
    return batch_predict(predictor, items, out, batch)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_box_has_a_row_and_each_photo_without_one_its_answer_or_reason(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    summary = predict(predictor, folder, tmp_path / "p.csv")
    rows = rows_of(tmp_path / "p.csv")
    assert list(rows[0]) == [*COLUMNS, *BOX_COLUMNS]
    told = [
        (Path(row["file"]).relative_to(folder).as_posix(), row["answer"] or row["reason"])
        if row["file"].startswith(str(folder))
        else (row["file"], row["reason"])
        for row in rows
    ]
    animals = [0, 1, 4, 6]
    assert all(rows[place]["species"] in SPECIES for place in animals)
    assert [one for place, one in enumerate(told) if place not in animals] == [
        ("cam1/IMG_1.JPG", "blank"),
        ("cam1/IMG_2.JPG", "person"),
        ("cam1/IMG_3.JPG", "vehicle"),
        ("cam2/broken.jpg", "detector failed"),
        ("cam2/gone.jpg", "file missing"),
        ("cam2/unknown.jpg", "not in the detector's file"),
    ]
    assert [told[place][0] for place in animals] == [
        *("cam1/IMG_0.JPG", "cam1/IMG_0.JPG", "cam1/IMG_2.JPG", "cam2/IMG_0.JPG")
    ]
    assert [rows[0][name] for name in BOX_COLUMNS] == [
        *("0.25", "0.25", "0.5", "0.5", "animal", "0.926")
    ]
    assert rows[6]["x"] == "0.0" and rows[6]["width"] == "1.0"  # cut at the border
    assert not rows[3]["species"] and rows[3]["detection_category"] == "person"
    assert "1 blank" in summary and "3 can't be read" in summary


def test_the_network_sees_the_square_around_the_box(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    predict(predictor, folder, tmp_path / "p.jsonl")
    row = json.loads((tmp_path / "p.jsonl").read_text("utf-8").splitlines()[0])
    photo = read_photo(folder / "cam1" / "IMG_0.JPG")
    assert boxes.square_around(photo.size, boxes.Box(0.25, 0.25, 0.5, 0.5), 0.1) == (80, 30, 240)
    seen = predictor.predict_image(photo.crop((80, 30, 320, 270)))
    assert row["probabilities"] == pytest.approx(seen.probabilities, abs=2e-4)


def test_a_photo_is_decoded_once_for_all_its_boxes(
    predictor: Predictor, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [detection(0.9, (0.1 * n, 0.1, 0.2, 0.2)) for n in range(7)]
    write_json(tmp_path / "many.json", [{"file": "cam1/IMG_0.JPG", "detections": found}])
    decoded: list[int] = []
    decode = decoding.decode
    monkeypatch.setattr(decoding, "decode", lambda *a, **k: decoded.append(1) or decode(*a, **k))
    summary = predict(predictor, folder, tmp_path / "p.csv", "many.json")
    assert len(decoded) == 1
    assert summary.startswith("7 photos classified")


def test_repeated_photos_paths_outside_and_videos_have_a_reason_each(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.jpg").write_bytes((folder / "cam1" / "IMG_0.JPG").read_bytes())
    names = ["cam1/IMG_0.JPG", "cam1\\img_0.jpg", "../secret.jpg", "=1+1.jpg", "clip.mp4", None]
    images = [{"file": name, "detections": [detection()]} for name in names]
    write_json(tmp_path / "odd.json", images)
    predict(predictor, folder, tmp_path / "p.csv", "odd.json")
    rows = rows_of(tmp_path / "p.csv")
    assert [row["reason"] for row in rows[:6]] == [
        *("", "named twice", "path outside the folder", "file missing", "video", "no file name")
    ]
    assert rows[3]["file"] == "'=1+1.jpg"
    assert {row["reason"] for row in rows[6:]} == {"not in the detector's file"}
    write_json(tmp_path / "other.json", [{"file": "x/y.jpg", "detections": []}])
    with pytest.raises(UserError, match="none of its 1 photos is in"):
        predict(predictor, folder, tmp_path / "p.csv", "other.json")


def test_a_photo_outside_the_folder_is_not_even_opened_for_its_time(
    predictor: Predictor, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_camera_photo(tmp_path / "secret.jpg")
    images = [
        {"file": "cam1/IMG_0.JPG", "detections": []},
        {"file": "../secret.jpg", "detections": []},
        {"file": str(tmp_path / "secret.jpg"), "detections": []},
    ]
    write_json(tmp_path / "odd.json", images)
    monkeypatch.chdir(folder)
    predict(predictor, folder, tmp_path / "p.csv", "odd.json")
    rows = rows_of(tmp_path / "p.csv")
    assert [row["reason"] for row in rows[1:3]] == ["path outside the folder"] * 2
    assert {row["taken_at"] for row in rows} == {row["latitude"] for row in rows} == {""}


def test_an_interrupted_run_goes_on_and_another_margin_begins_anew(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    predict(predictor, folder, tmp_path / "whole.csv")
    seen: list[int] = []

    class Stopped(Predictor):
        def predict(self, photos: torch.Tensor) -> list:  # type: ignore[type-arg]
            if seen:
                raise KeyboardInterrupt
            seen.append(len(photos))
            return super().predict(photos)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            predict(Stopped(predictor.model), folder, tmp_path / "p.csv")
    assert sum(seen) == 2
    assert "2 of them by an interrupted run" in predict(predictor, folder, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not (tmp_path / "p.csv.progress").exists()


def without_answers(record: dict[str, Any]) -> dict[str, Any]:
    detections = record["detections"] and [
        {key: value for key, value in found.items() if key != "classifications"}
        for found in record["detections"]
    ]
    return record | {"detections": detections}


def validate(path: Path) -> None:
    """Check a file by the package of MegaDetector's authors, where it is installed."""
    validator = pytest.importorskip("megadetector.postprocessing.validate_batch_results")
    result = validator.validate_batch_results(str(path))["validation_results"]
    assert result["errors"] == []
    # Only that our output keeps what was in the file besides.
    assert all("non-standard key" in warning for warning in result["warnings"])


def test_megadetectors_file_comes_back_with_classifications_and_is_valid(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    predict(predictor, folder, tmp_path / "results.json")
    given = json.loads((tmp_path / "md.json").read_text("utf-8"))
    written = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert [without_answers(record) for record in written["images"]] == given["images"]
    assert written["detection_categories"] == given["detection_categories"]
    assert {k: v for k, v in written["info"].items() if k in given["info"]} == given["info"]
    assert written["info"]["classifier"] == "panthera-vision f"
    assert written["classification_categories"] == {
        **{"0": "lion", "1": "jaguar", "2": "leopard", "3": "tiger", "4": "snow leopard"},
        "5": "none of these",
    }
    described = written["classification_category_descriptions"]
    assert described["1"].endswith(";mammalia;carnivora;felidae;panthera;onca;jaguar")
    assert set(described) == set(written["classification_categories"])
    first, second, third = written["images"][0]["detections"]
    for found in (first, second):
        confidences = [confidence for _, confidence in found["classifications"]]
        assert confidences == sorted(confidences, reverse=True) and len(confidences) == 5
        assert sum(confidences) == pytest.approx(1, abs=1e-3)
    assert "classifications" not in third
    validate(tmp_path / "results.json")


def test_classifications_of_another_classifier_are_kept_and_ours_are_replaced(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    theirs = [["0", 0.8], ["7", 0.1]]
    found = [detection(0.9, classifications=theirs), detection(0.1, classifications=theirs)]
    write_json(
        tmp_path / "md.json",
        [{"file": "cam1/IMG_0.JPG", "detections": found}],
        classification_categories={"0": "fox", "7": "elk"},
        sequence={"kept": math.pi},
    )
    predict(predictor, folder, tmp_path / "results.json")
    once = json.loads((tmp_path / "results.json").read_text("utf-8"))
    predict(predictor, folder, tmp_path / "again.json", "results.json")
    for written in (once, json.loads((tmp_path / "again.json").read_text("utf-8"))):
        assert written["sequence"] == {"kept": math.pi}
        categories = written["classification_categories"]
        assert list(categories.items())[:3] == [("0", "fox"), ("7", "elk"), ("8", "lion")]
        assert len(categories) == 8
        classified, left = written["images"][0]["detections"]
        assert classified["earlier_classifications"] == theirs
        assert categories[classified["classifications"][0][0]] not in ("fox", "elk")
        assert left["classifications"] == theirs
    validate(tmp_path / "again.json")


def test_without_a_detector_each_photo_has_one_detection_the_whole_photo(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    told = Predictor(replace(predictor.model, ood_threshold=-1e9))
    photos = [folder / "cam1" / "IMG_0.JPG", folder / "cam2" / "broken.jpg"]
    options = BatchOptions(writers={".json": MegaDetectorJson("f", SPECIES)})
    batch_predict(told, file_items(photos, [folder]), tmp_path / "r.json", options)
    animal, broken = json.loads((tmp_path / "r.json").read_text("utf-8"))["images"]
    assert animal["file"] == "cam1/IMG_0.JPG"
    assert animal["detections"] == [
        {
            "category": "1",
            "conf": 1.0,
            "bbox": [0.0, 0.0, 1.0, 1.0],
            "classifications": [["5", 1.0]],  # none of these
        }
    ]
    assert broken == {"file": "cam2/broken.jpg", "failure": "not a photo", "detections": None}
    validate(tmp_path / "r.json")
    # The same photos again: nothing is lost, so no copy is kept.
    assert "kept as" not in batch_predict(
        told, file_items(photos, [folder]), tmp_path / "r.json", options
    )


def test_photos_are_linked_into_folders_by_answer_and_never_moved_or_overwritten(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    target = tmp_path / "sorted"
    summary = predict(predictor, folder, tmp_path / "p.csv", outputs=[SortInto(target)])
    links = sorted(path for path in target.rglob("*") if path.is_symlink())
    assert f"{len(links)} linked into {target}" in summary
    names = [path.relative_to(target).as_posix() for path in links]
    for name in ("blank/cam1/IMG_1.JPG", "person/cam1/IMG_2.JPG", "vehicle/cam1/IMG_3.JPG"):
        assert name in names
    row = rows_of(tmp_path / "p.csv")[6]
    band = next(name for name in names if "/cam2/IMG_0.JPG" in name).split("/")
    assert band[0] == row["answer"].replace(" ", "_")
    low, high = map(float, band[1].split("-"))
    assert low <= 100 * float(row["probability"]) <= high
    again = predict(predictor, folder, tmp_path / "p.csv", outputs=[SortInto(target)])
    assert f"0 linked into {target} ({len(links)} were there)" in again
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_copies_do_not_replace_other_files_of_the_same_name(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "sorted"
    mine = target / "person" / "cam1" / "IMG_2.JPG"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    for _ in range(2):
        predict(predictor, folder, tmp_path / "p.csv", outputs=[SortInto(target, "copy")])
    assert mine.read_text() == "mine"
    assert sorted(path.name for path in mine.parent.iterdir()) == ["IMG_2.JPG", "IMG_2_2.JPG"]
    copied = mine.with_name("IMG_2_2.JPG").read_bytes()
    assert copied == (folder / "cam1" / "IMG_2.JPG").read_bytes()
    with pytest.raises(UserError, match="lies in"):
        SortInto(folder / "sorted").check([folder])
