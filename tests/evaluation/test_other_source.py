"""The model is measured on photos of another source that lie in folders named after species."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from panthera_vision.data.taxonomy import species_of_folder
from panthera_vision.errors import UserError
from panthera_vision.evaluation.model_outputs import ModelOutputs
from panthera_vision.evaluation.other_source import label_by_folder, measure_other_source

from ..conftest import draw_photo

NAMES = ("Panthera leo", "Panthera uncia")


@pytest.mark.parametrize(
    ("folder", "species"),
    [
        ("Panthera_leo", "Panthera leo"),
        ("panthera-uncia", "Panthera uncia"),
        ("PANTHERA LEO", "Panthera leo"),
        ("Uncia_uncia", "Panthera uncia"),
        ("snow_leopards", "Panthera uncia"),
        ("Lion", "Panthera leo"),
        ("снежный барс", "Panthera uncia"),
        ("Panthera_leo_persica", "Panthera leo"),
        ("photos", None),
        ("1", None),
    ],
)
def test_a_folder_is_named_with_a_scientific_or_a_common_name(
    folder: str, species: str | None
) -> None:
    assert species_of_folder(folder) == species


def test_photos_take_the_label_of_the_uppermost_folder_that_names_a_species() -> None:
    root = Path("elsewhere")
    files = ["Lion/1.jpg", "2024/Panthera_uncia/cam1/2.jpg", "Puma/3.jpg", "Puma/4.jpg", "5.jpg"]
    found = label_by_folder([root / file for file in files], root, NAMES)
    assert list(found.labels) == [0, 1]
    assert found.groups == [str(root / "Lion/1.jpg"), str(root / "2024/Panthera_uncia/cam1")]
    assert found.left_out == {"Puma": 2, ".": 1}


def test_folders_without_any_species_of_the_model_are_named() -> None:
    with pytest.raises(UserError, match=r"such as Panthera_leo; there are Pantera_lio"):
        label_by_folder([Path("x/Pantera_lio/1.jpg")], Path("x"), NAMES)


def test_accuracy_calibration_and_refusals_are_written_and_broken_photos_counted(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "elsewhere"
    for name, count in (("Lion", 4), ("Panthera_uncia", 2), ("Cheetah", 1)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            draw_photo("Panthera leo", number).save(folder / name / f"{number}.jpg")
    (folder / "Lion" / "9.jpg").write_bytes(b"\xff\xd8 broken")
    seen: list[Path] = []

    def outputs_of(paths: Sequence[Path]) -> ModelOutputs:
        seen.extend(paths)
        logits = np.array([[4.0, 0.0]] * len(paths))  # it says lion to everything
        scores = np.linspace(0, 1, len(paths))
        return ModelOutputs(logits, scores, NAMES, 1.0, 0.7)

    results = tmp_path / "results"
    metrics, left_out = measure_other_source(folder, outputs_of, NAMES, results, 1)
    assert len(seen) == metrics["photos"] == 6
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["refused"] == pytest.approx(2 / 6)
    assert metrics["accuracy_of_accepted"] == 1
    assert metrics["by_species"]["Panthera uncia"]["accuracy"] == 0
    assert metrics["by_species"]["Panthera leo"]["interval_low"] < 0.6
    assert metrics["interval_95"]["accuracy"]["low"] < 4 / 6
    assert metrics["calibrated"]["ece"] == pytest.approx(0.98 - 4 / 6, abs=0.01)
    assert metrics["photos_in_unknown_folders"] == 1
    assert "1 of 8 files left out" in left_out
    assert "1 photos in folders that name no species of the model (1 in Cheetah)" in left_out
    written = json.loads((results / "other_source_metrics.json").read_text())
    assert written == metrics
    for name in ("confusion_matrix", "reliability", "ood_scores"):
        with Image.open(results / "other_source" / f"{name}.png") as picture:
            assert picture.width > 300


def test_without_the_setting_the_results_are_there_and_say_zero_photos(tmp_path: Path) -> None:
    def outputs_of(paths: Sequence[Path]) -> ModelOutputs:
        raise AssertionError

    assert measure_other_source(None, outputs_of, NAMES, tmp_path, 1) == ({"photos": 0}, "")
    assert json.loads((tmp_path / "other_source_metrics.json").read_text()) == {"photos": 0}
    assert (tmp_path / "other_source").is_dir()
