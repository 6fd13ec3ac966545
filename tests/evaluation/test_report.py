import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from panthera_vision.errors import UserError
from panthera_vision.evaluation.model_outputs import ModelOutputs
from panthera_vision.evaluation.report import write_results


def outputs(
    logits: np.ndarray, temperature: float = 1.0, others: np.ndarray | None = None
) -> ModelOutputs:
    scores = np.linspace(-9, -1, len(logits))
    return ModelOutputs(logits, scores, NAMES, temperature, -2.0, others)


NAMES = ("Panthera leo", "Panthera onca", "Panthera uncia")


def test_metrics_plots_report_and_predictions_are_written(tmp_path: Path) -> None:
    actual = [0, 0, 0, 0, 1, 1, 2]
    predicted = [0, 0, 0, 1, 1, 0, 2]
    test = pd.DataFrame(
        {
            "id": [f"p{n}" for n in range(7)],
            "species": [NAMES[number] for number in actual],
            "file": "x.jpg",
            "observer": ["ann", "ann", "bob", "cid", "dee", "eve", "fay"],
            "observed_on": "2020-01-01",
        }
    )
    logits = np.eye(3, dtype=np.float32)[predicted] * 5
    others = np.array([-5.5, 1.0, 2.0, 3.0])
    metrics, certainty = write_results(test, outputs(logits, 0.5, others), tmp_path)
    assert metrics == json.loads((tmp_path / "evaluation_metrics.json").read_text())
    assert metrics["accuracy"] == pytest.approx(5 / 7)
    assert metrics["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert metrics["macro_recall"] == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert metrics["macro_precision"] == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert metrics["macro_f1"] == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert metrics["weighted_f1"] == pytest.approx((4 * 3 / 4 + 2 * 1 / 2 + 1) / 7)
    assert "Panthera uncia" in (tmp_path / "classification_report.txt").read_text()
    for name in ("confusion_matrix", "ood_scores", "reliability", "risk_coverage"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.width > 400, name
    assert certainty == json.loads((tmp_path / "certainty_metrics.json").read_text())
    ood = certainty["ood"]
    assert ood["id_acceptance_rate"] == pytest.approx(6 / 7)
    assert ood["ood_detection_rate"] == pytest.approx(3 / 4)
    assert ood["auroc"] == pytest.approx((3 * 7 + 3) / 28)
    interval = certainty["interval_95"]["accuracy"]
    assert interval["low"] < metrics["accuracy"] < interval["high"]
    assert (
        certainty["calibrated"]["ece"] > certainty["uncalibrated"]["ece"]
    )  # wrongly sharpened here
    predictions = pd.read_csv(tmp_path / "test_predictions.csv")
    assert list(predictions["predicted"]) == [NAMES[number] for number in predicted]
    assert predictions["probability"].between(0.9, 1).all()


def test_equal_outputs_give_equal_bytes(tmp_path: Path) -> None:
    test = pd.DataFrame(
        {
            "id": ["a", "b"],
            "species": NAMES[:2],
            "file": "x.jpg",
            "observer": "",
            "observed_on": "",
        }
    )
    for folder in ("one", "two"):
        write_results(test, outputs(np.eye(3)[:2]), tmp_path / folder)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_an_unknown_species_is_named(tmp_path: Path) -> None:
    test = pd.DataFrame({"id": ["a"], "species": ["Puma concolor"], "file": "x.jpg"})
    with pytest.raises(UserError, match="was not trained on Puma concolor"):
        write_results(test, outputs(np.eye(3)[:1]), tmp_path)
