from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from benchmarks.folders import divide
from benchmarks.harness import interval, table
from benchmarks.ood_scores import fit_ood_scores
from benchmarks.shifts import SHIFTS
from panthera_vision.evaluation.ood import ood_detection_metrics
from panthera_vision.models.classifier import Outputs

from ..conftest import SPECIES, draw_photo


def test_the_random_split_is_stratified_disjoint_and_reproducible(tmp_path: Path) -> None:
    for species in SPECIES[:2]:
        folder = tmp_path / species.replace(" ", "_")
        folder.mkdir()
        for number in range(10):
            draw_photo(species, number, (8, 8)).save(folder / f"{number}.png")
    data = divide(tmp_path, seed=1)
    assert data.class_names == SPECIES[:2]
    parts = (data.train, data.validation, data.test)
    assert [np.bincount(part.labels).tolist() for part in parts] == [[6, 6], [2, 2], [2, 2]]
    paths = [path for part in parts for path in part.paths]
    assert len(set(paths)) == 20
    assert divide(tmp_path, seed=1) == data
    assert divide(tmp_path, seed=2) != data


@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("size", [(224, 224), (120, 90), (90, 160)])
def test_synthetic_shifts_are_reproducible(name: str, size: tuple[int, int]) -> None:
    photo = draw_photo("Panthera leo", 1, size)
    first, second = (SHIFTS[name](photo, Random("a")) for _ in range(2))
    assert np.array_equal(np.asarray(first), np.asarray(second))
    assert first.size != photo.size or not np.array_equal(np.asarray(first), np.asarray(photo))


def test_every_ood_score_is_higher_far_from_all_classes() -> None:
    random = np.random.default_rng(1)
    centers = np.eye(3, 20) * 10
    labels = np.repeat(np.arange(3), 40)

    def outputs(features: np.ndarray) -> Outputs:
        tensor = torch.tensor(features, dtype=torch.float32)
        logits = tensor[:, :3]
        return Outputs(tensor, logits, -logits.logsumexp(1))

    train = outputs(centers[labels] + random.normal(0, 1, (120, 20)))
    own = outputs(centers[labels] + random.normal(0, 1, (120, 20)))
    far = np.zeros((50, 20))
    far[:, 10] = 10
    others = outputs(far + random.normal(0, 1, (50, 20)))
    imagenet = torch.nn.Linear(20, 8, bias=False)
    torch.nn.init.eye_(imagenet.weight)
    torch.nn.init.constant_(imagenet.weight[:, 10], 0.5)
    for name, score in fit_ood_scores(train, labels, imagenet, [0, 1, 2]).items():
        assert ood_detection_metrics(score(own), score(others))["auroc"] > 0.99, name


def test_bootstrap_interval_and_markdown_table() -> None:
    text = interval(np.array([1.0] * 90 + [0.0] * 10))
    assert text.startswith("0.900 (0.8")
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
