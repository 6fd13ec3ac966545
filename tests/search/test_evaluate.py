import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.embedding.embedder import Embedder
from panthera_vision.search.evaluation.evaluate import evaluate_search
from panthera_vision.search.index.backend import IndexSpec
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.photo_index import PhotoIndex, load_index
from panthera_vision.search.parameters import RetrievalParameters

from ..conftest import SPECIES, draw_photo
from ..made_search import untrained_model

PARAMETERS = RetrievalParameters(
    batch_size=8, num_threads=2, queries=1000, perturbed_photos=6, seed=1
)


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    torch.manual_seed(1)
    return untrained_model(32, fingerprint="a" * 64)


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, model: TrainedModel
) -> tuple[PhotoIndex, list[Path]]:
    """Build an index of 12 photos of each of two species, four photos per encounter."""
    folder = tmp_path_factory.mktemp("made")
    lines, paths = [], []
    for number in range(24):
        species = SPECIES[number % 2]
        paths.append(folder / f"{number}.png")
        draw_photo(species, number).save(paths[-1])
        lines.append((str(number), species, f"observer {number // 4}", "2024-01-01", str(number)))
    columns = ["id", "species", "observer", "observed_on", "sha256"]
    table = pd.DataFrame(lines, columns=columns).assign(
        observation_url="https://example.org/1", license="", attribution=""
    )
    loads = [partial(open_photo, path) for path in paths]
    vectors = Embedder(Predictor(model)).embeddings_of(loads, batch_size=8, threads=2)
    build_index(vectors, table, model, folder / "index", IndexSpec(1.0))
    return load_index(folder / "index"), paths


@pytest.mark.slow
def test_retrieval_report_is_complete_and_deterministic(
    made: tuple[PhotoIndex, list[Path]], model: TrainedModel, tmp_path: Path
) -> None:
    index, paths = made
    splits = pd.Series(["train"] * 16 + ["test"] * 8)
    for folder in ("one", "two"):
        metrics = evaluate_search(index, model, splits, paths, PARAMETERS, tmp_path / folder)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two
    assert metrics == json.loads(one["retrieval_metrics.json"])
    assert metrics["all_photos"]["queries"] == 24
    assert metrics["held_out"]["queries"] == metrics["held_out_only"]["queries"] == 8
    assert set(metrics["perturbed_copies"]["by_perturbation"]) >= {"mirrored", "cropped"}
    # 22 photos of other encounters or fewer, of which at most 11 are of the species.
    by_species = pd.read_csv(tmp_path / "one/retrieval_by_species.csv")
    assert by_species["queries"].tolist() == [12, 12, 4, 4, 4, 4]
    assert set(by_species["of"]) == {"all_photos", "held_out", "held_out_only"}
    assert len(pd.read_csv(tmp_path / "one/retrieval_queries.csv")) == 24


@pytest.mark.slow
def test_held_out_metrics_are_omitted_if_splits_are_unknown(
    made: tuple[PhotoIndex, list[Path]], model: TrainedModel, tmp_path: Path
) -> None:
    index, paths = made
    few = PARAMETERS.model_copy(update={"queries": 10, "perturbed_photos": 2})
    splits = pd.Series(["unknown"] * 24)
    metrics = evaluate_search(index, model, splits, paths, few, tmp_path)
    assert "held_out" not in metrics
    assert metrics["all_photos"]["queries"] == 10
    assert metrics["perturbed_copies"]["originals"] == 2
    assert np.isfinite(metrics["all_photos"]["map_at_10"])
