"""The search embeds with a network of another family than the classifier, from stage to answer."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from fastapi.testclient import TestClient

import panthera_vision as pv
from panthera_vision.cli import search
from panthera_vision.cli.runner import build_parser
from panthera_vision.errors import UserError
from panthera_vision.images.decoding import open_photo
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.models.checkpoint import (
    load_checkpoint,
    load_feature_network,
    save_checkpoint,
)
from panthera_vision.search.embedding.cache import open_cache
from panthera_vision.search.embedding.duplicate_similarity import (
    measure_duplicate_similarity,
    read_duplicate_similarity,
    write_duplicate_similarity,
)
from panthera_vision.search.embedding.embed_collection import (
    PhotoFiles,
    cache_key,
    collection_vectors,
    embed_distributed,
    fit_whitening_on_photos,
)
from panthera_vision.search.embedding.embedder import Embedder, padded_dimension
from panthera_vision.search.embedding.feature_network import write_embedder
from panthera_vision.search.evaluation.evaluate import evaluate_search
from panthera_vision.search.index.backend import IndexSpec
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.manifest import NETWORK_FILE, DamagedIndexError, ForeignIndexError
from panthera_vision.search.index.photo_index import load_index
from panthera_vision.search.parameters import EmbedParameters, RetrievalParameters
from panthera_vision.search.perturbations import perturb
from panthera_vision.search.searcher import Searcher
from panthera_vision.serving.app import create_app
from panthera_vision.serving.settings import ServiceSettings

from ..conftest import SPECIES, draw_photo
from ..made_search import untrained_model

pytestmark = pytest.mark.slow


class Pipeline:
    """A search pipeline's folder with a classifier and ten photos, run by its stages' functions."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.index = folder, folder / "faiss_index"
        self.model = folder / "model_weights" / "best_model.pth"
        self.embedder = folder / "model_weights" / "embedder.pth"
        torch.manual_seed(5)
        save_checkpoint(untrained_model(32), self.model)
        photos = folder / "data" / "dataset_images"
        photos.mkdir(parents=True)
        self.photos = [photos / f"{number}.png" for number in range(10)]
        for number, photo in enumerate(self.photos):
            draw_photo(SPECIES[number % 5], number).save(photo)
        self.table = pd.DataFrame(
            {
                "id": [str(number) for number in range(10)],
                "species": [SPECIES[number % 5] for number in range(10)],
                "observer": [f"observer {number}" for number in range(10)],
                "observed_on": "2024-01-01",
                "observation_url": "https://example.org/1",
                "license": "CC-BY",
                "attribution": "",
                "sha256": [sha256_of_file(photo) for photo in self.photos],
                "file": [f"../data/dataset_images/{photo.name}" for photo in self.photos],
            }
        )

    def run(self) -> None:
        """Embed, fit the whitening and build the index."""
        network = load_feature_network(self.embedder)
        predictor = Predictor(network)
        files = PhotoFiles(self.table["sha256"].tolist(), self.photos)
        cache = self.folder / "data" / "embeddings"
        embed_distributed(predictor, files, cache, batch_size=4, threads=1)
        store = open_cache(cache, cache_key(network))
        species = self.table["species"].tolist()
        whitening = fit_whitening_on_photos(
            predictor, files, species, store, batch_size=4, threads=1
        )
        with collection_vectors(store, files.sha256, network, self.index, whitening) as vectors:
            build_index(vectors, self.table, network, self.index, IndexSpec(0.999), whitening)


def make(folder: Path, name: str) -> Pipeline:
    """A pipeline whose search embeds with a random network of timm."""
    made = Pipeline(folder)
    torch.manual_seed(6)
    network = timm.create_model(name.removeprefix("timm:"), pretrained=False)
    torch.save(network.state_dict(), folder / "weights.pth")
    parameters = EmbedParameters(backbone=name, weights=folder / "weights.pth")
    write_embedder(made.model, parameters, made.embedder)
    made.run()
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return make(tmp_path_factory.mktemp("search") / "pipeline", "timm:test_convnext")


@pytest.fixture
def copy(made: Pipeline, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.folder, tmp_path / "pipeline"))


@pytest.mark.parametrize("name", ["timm:test_resnet", "timm:test_vit"])
def test_vectors_are_of_the_feature_network_and_answers_of_the_classifier(
    tmp_path: Path, name: str
) -> None:
    made = make(tmp_path / "pipeline", name)
    network, classifier = load_feature_network(made.embedder), load_checkpoint(made.model)
    searcher = Searcher(Predictor(classifier), load_index(made.index))
    assert searcher.index.manifest.backbone == name
    assert searcher.index.backend.dimension == network.classifier.head.in_features
    assert searcher.embedder.preprocessing == network.preprocessing
    assert searcher.predictor.model is classifier
    for row, photo in enumerate(made.photos):
        (best, *_) = searcher.search(open_photo(photo), 3).groups
        assert best.best.row == row
        assert best.best.similarity == pytest.approx(1, abs=1e-4)


def test_the_api_the_command_and_the_service_search_with_it(made: Pipeline) -> None:
    fingerprint = load_index(made.index).manifest.model_fingerprint
    model = pv.load_model(made.model, device="cpu")
    hits = pv.load_index(made.index, model).search(made.photos[3], k=2)
    assert hits[0].id == "3"
    assert Path(hits[0].file) == made.photos[3].resolve()
    assert next(model.predict(made.photos[3])).species in SPECIES
    parser = build_parser(search, model=made.model, index=made.index)
    found = json.loads(search.main(parser.parse_args([str(made.photos[4])])))
    assert found["model"] == fingerprint
    assert found["photos"][0]["hits"][0]["id"] == "4"
    settings = ServiceSettings(model=made.model, index=made.index)
    with TestClient(create_app(settings)) as client:
        upload = {"photo": ("photo.png", made.photos[5].read_bytes())}
        answer = client.post("/search", files=upload).json()
        assert (answer["hits"][0]["id"], answer["model"]) == ("5", fingerprint)
        answer = client.post("/classify", files=upload).json()
        assert answer["model"] == sha256_of_file(made.model)
        assert client.get("/healthz").json()["problem"] == ""


def test_the_search_is_evaluated_with_it(made: Pipeline, tmp_path: Path) -> None:
    parameters = RetrievalParameters(batch_size=4, num_threads=1, queries=9, perturbed_photos=2)
    splits = pd.Series(["train", "test"] * 5)
    metrics = evaluate_search(
        load_index(made.index),
        load_checkpoint(made.model),
        splits,
        made.photos,
        parameters,
        tmp_path,
    )
    assert (metrics["all_photos"]["queries"], metrics["held_out"]["queries"]) == (9, 5)
    assert metrics["perturbed_copies"]["originals"] == 2


def test_the_index_survives_a_new_classifier_but_no_other_network(copy: Path) -> None:
    index, model = copy / "faiss_index", copy / "model_weights" / "best_model.pth"
    torch.manual_seed(7)
    save_checkpoint(untrained_model(32), model)
    assert Searcher(Predictor(load_checkpoint(model)), load_index(index))
    (index / NETWORK_FILE).write_bytes(model.read_bytes())
    with pytest.raises(DamagedIndexError, match=r"embedder\.pth is not the file"):
        load_index(index)


def test_a_feature_network_is_no_classifier(made: Pipeline) -> None:
    with pytest.raises(UserError, match=r"feature network.*use the classifier's checkpoint"):
        load_checkpoint(made.embedder)


def test_by_default_the_classifier_embeds_and_its_index_takes_no_other(tmp_path: Path) -> None:
    made = Pipeline(tmp_path / "pipeline")
    write_embedder(made.model, EmbedParameters(), made.embedder)
    assert made.embedder.read_bytes() == made.model.read_bytes()
    (made.index / NETWORK_FILE).parent.mkdir()
    (made.index / NETWORK_FILE).write_bytes(b"of an earlier index")
    made.run()
    assert not (made.index / NETWORK_FILE).exists()
    index = load_index(made.index)
    assert index.manifest.model_fingerprint == sha256_of_file(made.model)
    assert index.backend.dimension == padded_dimension(1280 + len(SPECIES))
    torch.manual_seed(7)
    save_checkpoint(untrained_model(32), made.model)
    with pytest.raises(ForeignIndexError, match="was made by model"):
        Searcher(Predictor(load_checkpoint(made.model)), index)


def test_a_hub_that_does_not_answer_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    for name in ("timm:hf-hub:BVRA/MegaDescriptor-T-224", "timm:vit_small_patch14_dinov2.lvd142m"):
        with pytest.raises(UserError, match=r"^[^\n]*Connect once[^\n]*embed\.[^\n]*$"):
            write_embedder(tmp_path, EmbedParameters(backbone=name), tmp_path / "embedder.pth")
    assert not (tmp_path / "embedder.pth").exists()


def test_the_threshold_of_near_duplicates_is_measured_for_a_feature_network_only(
    made: Pipeline, tmp_path: Path
) -> None:
    network = Predictor(load_feature_network(made.embedder))
    whitening = load_index(made.index).whitening
    embedder = Embedder(network, whitening)
    similarity = measure_duplicate_similarity(embedder, made.photos, batch_size=4, threads=1)
    crops = [
        embedder.embedding(perturb(open_photo(photo), "cropped", photo.name))
        @ embedder.embedding(open_photo(photo))
        for photo in made.photos
    ]
    assert similarity == pytest.approx(float(np.median(crops)), abs=2e-3)
    file = tmp_path / "near_duplicates.json"
    write_duplicate_similarity(similarity, file)
    assert read_duplicate_similarity(file) == similarity
    classifier = Embedder(Predictor(load_checkpoint(made.model)), None)
    assert measure_duplicate_similarity(classifier, [], batch_size=4, threads=1) == 0.6
    file.write_text('{"duplicate_similarity": "high"}', encoding="utf-8")
    with pytest.raises(UserError, match="is damaged"):
        read_duplicate_similarity(file)
