"""The HTTP service, through its API."""

import io
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from benchmarks.app_server import free_port
from panthera_vision.search.index.backend import BackendUnavailableError
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.serving.app import create_app
from panthera_vision.serving.errors import RequestError
from panthera_vision.serving.handlers import RequestHandlers, SearchForm
from panthera_vision.serving.settings import ServiceSettings

from ..conftest import REPOSITORY, SPECIES, draw_photo, write_camera_photo
from ..made_search import make_search


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_search(tmp_path_factory.mktemp("service") / "pipeline")


@pytest.fixture
def copy(pipeline: Path, tmp_path: Path) -> Path:
    """Copy the pipeline, for tests that damage it."""
    return Path(shutil.copytree(pipeline, tmp_path / "pipeline"))


def settings_of(pipeline: Path) -> ServiceSettings:
    return ServiceSettings(
        model=pipeline / "model_weights" / "best_model.pth",
        index=pipeline / "faiss_index",
        upload_bytes=1_000_000,
        pixels=100_000,
    )


@pytest.fixture(scope="module")
def client(pipeline: Path) -> Iterator[TestClient]:
    with TestClient(create_app(settings_of(pipeline))) as client:
        yield client


def photo(pipeline: Path, number: int) -> bytes:
    return (pipeline / "data" / "dataset_images" / f"{number}.png").read_bytes()


def ask(client: Any, path: str, data: bytes, **fields: Any) -> Any:
    return client.post(path, files={"photo": ("a photo.png", data)}, data=fields)


@pytest.mark.slow
def test_search_returns_the_photo_itself_with_its_metadata(
    client: TestClient, pipeline: Path
) -> None:
    response = ask(client, "/search", photo(pipeline, 4), count=3)
    assert response.status_code == 200
    answer = response.json()
    assert [len(answer["hits"]), answer["collection"], answer["matching"]] == [3, 10, 10]
    best = answer["hits"][0]
    assert (best["id"], best["species"], best["observer"]) == ("4", SPECIES[4], "observer 1")
    assert best["similarity"] == pytest.approx(1, abs=1e-4)
    assert answer["agreement"]["counts"]
    # Nothing tells where on this machine anything lies.
    assert str(pipeline) not in response.text and "dataset_images" not in response.text


def test_form_fields_set_filters_and_duplicate_grouping(client: TestClient, pipeline: Path) -> None:
    data = photo(pipeline, 0)
    answer = ask(
        client,
        "/search",
        data,
        species=["panthera leo", "Panthera tigris"],
        license="CC-BY",
        first_day="2020-01-03",
        place="серенгети",
    ).json()
    assert {hit["id"] for hit in answer["hits"]} == {"3", "5"}
    assert answer["matching"] == 2
    grouped = ask(client, "/search", data, count=1).json()["hits"]
    assert len(grouped) == len(grouped[0]["near_duplicates"]) == 1
    apart = ask(client, "/search", data, count=2, group_duplicates="false").json()["hits"]
    assert {hit["id"] for hit in apart} == {"0", "9"}


def test_classification_and_search_use_the_same_model(client: TestClient, pipeline: Path) -> None:
    answer = ask(client, "/classify", photo(pipeline, 1)).json()
    assert answer["species"] in SPECIES
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["model"] == ask(client, "/search", photo(pipeline, 1)).json()["model"]
    health = client.get("/healthz").json()
    assert (health["can_classify"], health["can_search"]) == (True, True)
    assert (health["collection"], health["species"], health["problem"]) == (10, list(SPECIES), "")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"species": "Panthera tigra"}, "Panthera tigris"),
        ({"count": "0"}, "count"),
        ({"count": "many"}, "count"),
        ({"first_day": "yesterday"}, "first_day"),
        ({"first_day": "2021-01-01", "last_day": "2020-01-01"}, "is after the last"),
    ],
)
def test_invalid_field_is_named(
    client: TestClient, pipeline: Path, fields: dict[str, str], words: str
) -> None:
    response = ask(client, "/search", photo(pipeline, 0), **fields)
    assert response.status_code == 422
    assert response.json()["error"] == "wrong value"
    assert words in response.json()["detail"]


def test_empty_field_filters_nothing(client: TestClient, pipeline: Path) -> None:
    empty = dict.fromkeys(
        (
            "count",
            "group_duplicates",
            "species",
            "license",
            "observer",
            "first_day",
            "last_day",
            "place",
        ),
        "",
    )
    answer = ask(client, "/search", photo(pipeline, 0), **{**empty, "license": [" ", ""]})
    assert answer.status_code == 200
    assert answer.json()["matching"] == 10
    some = ask(client, "/search", photo(pipeline, 0), license=["", "CC-BY"]).json()["matching"]
    assert 0 < some < 10


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/search", {"Species": "Panthera leo"}, "Species: unknown field, meant species?"),
        ("/search", {"specie": "", "k": "3"}, "specie: unknown field, meant species?; k: unknown"),
        ("/search?count=3&place=x", {}, "count: send it as a field of the form; place: send"),
        ("/classify", {"species": "Panthera leo"}, "species: unknown field; fields of this form"),
    ],
)
def test_unknown_field_is_refused_and_named(
    client: TestClient, pipeline: Path, path: str, fields: dict[str, str], words: str
) -> None:
    response = ask(client, path, photo(pipeline, 0), **fields)
    assert (response.status_code, response.json()["error"]) == (422, "wrong value")
    assert words in response.json()["detail"]


def test_answers_have_the_time_of_exif_and_a_generalized_place(
    client: TestClient, pipeline: Path, tmp_path: Path
) -> None:
    data = write_camera_photo(tmp_path / "a.jpg", offset="+03:00").read_bytes()
    for path in ("/classify", "/search"):
        answer = ask(client, path, data).json()
        assert answer["taken_at"] == "2021-05-01T06:30:00+03:00"
        assert (answer["latitude"], answer["longitude"]) == (-2.3, 34.8)
    exact = replace(settings_of(pipeline), coordinates="exact")
    with TestClient(create_app(exact)) as other:
        assert ask(other, "/classify", data).json()["latitude"] == pytest.approx(-2.333333)


def test_monitors_may_ask_for_the_health_by_head(client: TestClient) -> None:
    for path in ("/healthz", "/docs", "/openapi.json"):
        response = client.head(path)
        assert (response.status_code, response.content) == (200, b"")


def test_lost_vector_server_is_503_until_it_is_back(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = RequestHandlers(settings_of(pipeline))
    found = handlers.search(photo(pipeline, 0), SearchForm())

    def lost(*_: object) -> None:
        raise BackendUnavailableError("Milvus at http://x:1 does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(FaissBackend, "search", lost)
        with pytest.raises(RequestError) as refusal:
            handlers.search(photo(pipeline, 0), SearchForm())
        assert refusal.value.status_code == 503
        assert refusal.value.problem.error == "no search now"
    assert handlers.search(photo(pipeline, 0), SearchForm()) == found


def test_a_jpeg_that_lacks_only_its_end_marker_is_answered_with_a_note(client: TestClient) -> None:
    file = io.BytesIO()
    draw_photo(SPECIES[0], 0).save(file, "JPEG")
    for path in ("/search", "/classify"):
        for data, note in ((file.getvalue(), ""), (file.getvalue()[:-2], "end marker missing")):
            assert ask(client, path, data).json()["note"] == note


def test_unreadable_photo_gets_a_reason(client: TestClient, pipeline: Path) -> None:
    large = io.BytesIO()
    Image.new("RGB", (1000, 101)).save(large, "PNG")
    cases = {
        b"": "empty file",
        b"<html>": "not a photo",
        photo(pipeline, 0)[:500]: "broken photo",
        large.getvalue(): "too many pixels",
    }
    for data, reason in cases.items():
        for path in ("/search", "/classify"):
            response = ask(client, path, data)
            assert (response.status_code, response.json()["error"]) == (422, reason)


def test_request_without_multipart_form_is_rejected(client: TestClient, pipeline: Path) -> None:
    data = photo(pipeline, 0)
    broken = {"content-type": "multipart/form-data"}
    two = [("photo", ("1.png", data)), ("photo", ("2.png", data))]
    for response in (
        client.post("/search", content=data),
        client.post("/search", json={"photo": "/etc/passwd"}),
        client.post("/search", content=data, headers=broken),
        client.post("/search", files=two),
    ):
        assert (response.status_code, response.json()["error"]) == (400, "not a form")
    long = ask(client, "/search", data, place="x" * 3000)
    assert (long.status_code, long.json()["error"]) == (400, "not a form")
    # A field is not taken for a file's name.
    as_text = client.post("/search", data={"photo": "/etc/passwd"}, files={"x": b""})
    assert as_text.status_code == 422
    assert client.get("/search").json()["error"] == "method not allowed"
    for path in ("/../params.yaml", "/%2e%2e/params.yaml", "/static/x"):
        response = client.get(path)
        assert (response.status_code, response.json()["error"]) == (404, "not found")


def test_oversized_uploads_are_rejected_with_and_without_content_length(client: TestClient) -> None:
    declared = ask(client, "/classify", bytes(1_000_001))
    assert (declared.status_code, declared.json()["error"]) == (413, "file too large")
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\n'
        while sent < 50_000_000:
            sent += 100_000
            yield bytes(100_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    undeclared = client.post("/classify", content=endless(), headers=headers)
    assert (undeclared.status_code, undeclared.json()["error"]) == (413, "file too large")


def test_uploads_are_never_written_to_disk(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments: object, **options: object) -> None:
        raise AssertionError("a temporary file")

    # What a spooled file becomes when it is rolled over to the disk.
    monkeypatch.setattr(tempfile, "TemporaryFile", forbidden)
    settings = replace(settings_of(pipeline), upload_bytes=5_000_000, pixels=10_000_000)
    picture = io.BytesIO()
    Image.effect_noise((1500, 1500), 90).save(picture, "PNG")
    assert len(picture.getvalue()) > 2_000_000
    with TestClient(create_app(settings)) as client:
        assert ask(client, "/classify", picture.getvalue()).status_code == 200


def test_service_without_index_classifies_and_loads_the_index_later(copy: Path) -> None:
    hidden = copy / "faiss_index"
    hidden.rename(copy / "elsewhere")
    with TestClient(create_app(settings_of(copy))) as client:
        response = ask(client, "/search", photo(copy, 0))
        assert (response.status_code, response.json()["error"]) == (503, "no search yet")
        assert "dvc repro" in response.json()["detail"]
        assert str(copy) not in response.text
        assert ask(client, "/classify", photo(copy, 0)).status_code == 200
        health = client.get("/healthz").json()
        assert (health["can_classify"], health["can_search"]) == (True, False)
        (copy / "elsewhere").rename(hidden)
        assert ask(client, "/search", photo(copy, 0)).status_code == 200
        shutil.rmtree(hidden)
        meanwhile = ask(client, "/search", photo(copy, 0))
        assert meanwhile.status_code == 200
        assert "does not exist" in meanwhile.json()["notice"]


def test_service_without_model_says_what_to_run(copy: Path) -> None:
    (copy / "model_weights" / "best_model.pth").unlink()
    with TestClient(create_app(settings_of(copy))) as client:
        for path in ("/classify", "/search"):
            response = ask(client, path, photo(copy, 0))
            assert response.status_code == 503
            assert "model_weights/best_model.pth does not exist" in response.json()["detail"]
        assert client.get("/healthz").json()["can_classify"] is False


@pytest.mark.slow
def test_without_a_model_the_pretrained_network_answers_until_one_is_trained(
    copy: Path, tmp_path: Path
) -> None:
    model = copy / "model_weights" / "best_model.pth"
    trained = model.rename(tmp_path / "trained.pth")
    species = ("Panthera leo", "Neofelis nebulosa")
    settings = replace(settings_of(copy), species=species)
    with TestClient(create_app(settings)) as client:
        health = client.get("/healthz").json()
        assert (health["can_classify"], health["can_search"]) == (True, False)
        assert health["species"] == ["Panthera leo"]
        assert "not trained on your photos" in health["description"]
        assert "unknown to it: Neofelis nebulosa" in health["description"]
        answer = ask(client, "/classify", photo(copy, 1)).json()
        assert answer["model"] == health["model"]
        assert answer["model"].startswith("pretrained-")
        assert answer["description"] == health["description"]
        assert ask(client, "/search", photo(copy, 1)).status_code == 503
        trained.rename(model)
        # The new model is loaded beside the old one, which answers until then.
        give_up = time.monotonic() + 60
        while (health := client.get("/healthz").json())["species"] != list(SPECIES):
            assert time.monotonic() < give_up
            time.sleep(0.1)
        assert health["can_search"]
        assert health["description"] == "efficientnet_lite0, trained on 5 species"
        # A checkpoint that is being replaced does not bring the pretrained network back.
        model.unlink()
        assert client.get("/healthz").json()["species"] == list(SPECIES)


def test_without_any_file_the_service_classifies_the_five_species() -> None:
    handlers = RequestHandlers(ServiceSettings(model=None, index=None, species=SPECIES))
    health = handlers.health()
    assert (health.can_classify, health.can_search, health.species) == (True, False, list(SPECIES))
    assert health.problem == "there is no index; name one with --index"


def test_admission_control_rejects_excess_requests_with_retry_after(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    begun = threading.Semaphore(0)
    classify = RequestHandlers.classify

    def slow(self: RequestHandlers, data: bytes) -> Any:
        begun.release()
        assert go_on.wait(30)
        return classify(self, data)

    monkeypatch.setattr(RequestHandlers, "classify", slow)
    settings = replace(settings_of(pipeline), at_once=1, waiting=1)
    data = photo(pipeline, 0)
    with (
        TestClient(create_app(settings)) as client,
        ThreadPoolExecutor(3) as pool,
    ):
        asked = [pool.submit(ask, client, "/classify", data) for _ in range(3)]
        # Whichever comes last finds the other two's places taken.
        done, admit = wait(asked, timeout=30, return_when=FIRST_COMPLETED)
        refused = done.pop().result()
        assert refused.status_code == 503
        assert refused.json()["error"] == "too many requests"
        assert int(refused.headers["retry-after"]) > 0
        assert client.get("/healthz").status_code == 200
        assert begun.acquire(timeout=30)
        assert not begun.acquire(timeout=0.2)  # one at a time, as configured
        go_on.set()
        assert [answer.result().status_code for answer in admit] == [200, 200]
        assert ask(client, "/classify", data).status_code == 200


def test_internal_errors_leak_no_details(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: RequestHandlers, data: bytes) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(RequestHandlers, "classify", broken)
    app = create_app(settings_of(pipeline))
    with TestClient(app, raise_server_exceptions=False) as client:
        response = ask(client, "/classify", photo(pipeline, 0))
        assert (response.status_code, response.json()["error"]) == (500, "internal server error")
        assert "secret" not in response.text


def test_cors_allows_configured_origins_only(pipeline: Path) -> None:
    settings = replace(settings_of(pipeline), origins=("https://museum.example",))
    with TestClient(create_app(settings)) as client:
        for origin, allowed in (("https://museum.example", True), ("https://x.example", False)):
            headers = client.get("/healthz", headers={"origin": origin}).headers
            assert ("access-control-allow-origin" in headers) == allowed


def test_openapi_describes_fields_and_errors(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    search = described["paths"]["/search"]["post"]
    reference = search["requestBody"]["content"]["multipart/form-data"]["schema"]["$ref"]
    fields = described["components"]["schemas"][reference.rsplit("/", 1)[1]]
    assert fields["required"] == ["photo"]
    assert {"count", "group_duplicates", "species", "license", "observer"} < set(
        fields["properties"]
    )
    assert {"200", "400", "408", "413", "422", "503"} <= set(search["responses"])
    page = client.get("/docs")
    assert page.status_code == 200
    assert "this page loads its script from" in page.text.lower()  # in case it can't


@pytest.fixture(scope="module")
def served(pipeline: Path) -> Iterator[str]:
    """Run `src/serve.py` on a free port; yield its address."""
    port = free_port()
    script = REPOSITORY / "image-search-dvc-pipeline" / "src" / "serve.py"
    model, index = settings_of(pipeline).model, settings_of(pipeline).index
    options = ["--port", port, "--model", model, "--index", index]
    process = subprocess.Popen(
        [sys.executable, script, *map(str, options), "--upload-seconds", "2", "--megabytes", "1"]
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline
            try:
                httpx.get(f"{address}/healthz", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        assert process.wait(timeout=20) is not None


@pytest.mark.slow
def test_concurrent_requests_get_their_own_results(served: str, pipeline: Path) -> None:
    def found(number: int) -> set[str]:
        with httpx.Client(base_url=served, trust_env=False, timeout=60) as client:
            response = ask(client, "/search", photo(pipeline, number), count=1)
        best = response.json()["hits"][0]
        return {best["id"], *(other["id"] for other in best["near_duplicates"])}

    numbers = [number % 9 for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        for number, ids in zip(numbers, pool.map(found, numbers), strict=True):
            assert str(number) in ids


@pytest.mark.slow
def test_server_ends_slow_uploads_and_rejects_large_ones(served: str) -> None:
    host, port = served.removeprefix("http://").split(":")
    head = "POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(f"{head}Content-Length: 5000\r\n\r\n--x".encode())
        start = time.monotonic()
        assert line.recv(100).startswith(b"HTTP/1.1 408")
        while line.recv(1000):  # the rest, and then it hangs up
            pass
        assert time.monotonic() - start < 2 + 1.5
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(f"{head}Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413")
    with httpx.Client(base_url=served, trust_env=False, timeout=20) as client:
        response = ask(client, "/classify", bytes(1_900_000))
        assert (response.status_code, response.json()["error"]) == (413, "file too large")
