"""The service takes a detector's boxes beside a photo, and classifies each animal."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from panthera_vision.serving.app import create_app
from panthera_vision.serving.settings import ServiceSettings

from ..conftest import SPECIES, draw_photo
from ..detections.made_detections import detection
from ..made_search import make_search


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    pipeline = make_search(tmp_path_factory.mktemp("service") / "pipeline")
    model, index = pipeline / "model_weights" / "best_model.pth", pipeline / "faiss_index"
    with TestClient(create_app(ServiceSettings(model=model, index=index))) as client:
        yield client


def ask(client: TestClient, detections: Any, **fields: Any) -> Any:
    file = io.BytesIO()
    draw_photo("Panthera leo", 1, (400, 300)).save(file, "PNG")
    text = detections if isinstance(detections, str) else json.dumps(detections)
    form = {"detections": text, **fields}
    return client.post("/classify", files={"photo": ("a.png", file.getvalue())}, data=form)


@pytest.mark.slow
def test_each_animal_is_classified_and_a_person_is_not(client: TestClient) -> None:
    found = [
        detection(0.9),
        detection(0.8, category="2"),
        detection(0.9, (0.1, 0.1, 0.0, 0.2)),
        detection(0.1),
    ]
    for sent in (found, {"file": "a.png", "detections": found}):
        answer = ask(client, sent).json()
        animal, person, invalid = answer["boxes"]
        assert animal["answer"] in SPECIES and len(animal["probabilities"]) == 5
        assert (animal["x"], animal["detection_confidence"]) == (0.25, 0.9)
        assert (person["answer"], person["species"]) == ("person", "")
        assert (invalid["answer"], invalid["reason"]) == ("", "box without area")
    assert len(ask(client, found, detection_threshold="0.05").json()["boxes"]) == 4


def test_a_photo_without_detections_is_blank_and_without_the_field_it_is_classified_whole(
    client: TestClient,
) -> None:
    blank = ask(client, []).json()
    assert (blank["answer"], blank["boxes"]) == ("blank", [])
    assert ask(client, "").json()["species"] in SPECIES


@pytest.mark.parametrize(
    "wrong", ["{", "7", '{"detections": "x"}', "[" * 9000, json.dumps([detection()] * 101)]
)
def test_detections_that_are_none_are_refused_in_one_line(client: TestClient, wrong: str) -> None:
    response = ask(client, wrong)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("detections: ")
