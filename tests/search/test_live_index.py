import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
import pytest

from panthera_vision.errors import UserError
from panthera_vision.models.checkpoint import load_checkpoint, save_checkpoint
from panthera_vision.search.index.backend import BackendUnavailableError, IndexSpec
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.manifest import DamagedIndexError, ForeignIndexError
from panthera_vision.search.index.photo_index import PhotoIndex, load_index
from panthera_vision.search.live_index import LiveIndex

from ..made_search import untrained_model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a model and an index of three photos."""
    folder = tmp_path_factory.mktemp("made")
    save_checkpoint(untrained_model(), folder / "model.pth")
    write_index(folder, photos=3)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def write_index(
    folder: Path, *, photos: int, fingerprint: str | None = None, factory: str = "Flat"
) -> None:
    model = load_checkpoint(folder / "model.pth")
    if fingerprint:
        model = replace(model, fingerprint=fingerprint)
    table = pd.DataFrame({"id": map(str, range(photos)), "species": "Panthera leo"})
    vectors = np.eye(photos, 1280, dtype=np.float32)
    build_index(vectors, table, model, folder / "index", IndexSpec(0.94, factory=factory))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for every load, so that a busy machine makes no difference."""
    monkeypatch.setattr("panthera_vision.search.live_index._PATIENCE_SECONDS", 60)


def test_nobody_waits_while_a_new_index_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = LiveIndex(folder / "model.pth", folder / "index")
    first, _ = service.searcher()
    may_load = Event()

    def slow(path: Path) -> PhotoIndex:
        may_load.wait(60)
        return load_index(path)

    monkeypatch.setattr("panthera_vision.search.live_index.load_index", slow)
    monkeypatch.setattr("panthera_vision.search.live_index._PATIENCE_SECONDS", 0.01)
    write_index(folder, photos=5)
    assert service.searcher()[0] is first
    assert service.predictor() is first.predictor
    may_load.set()
    monkeypatch.setattr("panthera_vision.search.live_index._PATIENCE_SECONDS", 60)
    assert len(service.searcher()[0].index.table) == 5


def test_an_unforeseen_error_of_a_load_reaches_the_visitor_and_the_old_index_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = LiveIndex(folder / "model.pth", folder / "index")
    first, _ = service.searcher()

    def broken(path: Path) -> PhotoIndex:
        raise ZeroDivisionError

    monkeypatch.setattr("panthera_vision.search.live_index.load_index", broken)
    write_index(folder, photos=5)
    with pytest.raises(ZeroDivisionError):
        service.searcher()
    assert service.searcher()[0] is first


def test_an_unforeseen_error_of_the_first_load_is_raised_until_it_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = LiveIndex(folder / "model.pth", folder / "index")

    def broken(path: Path) -> PhotoIndex:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("panthera_vision.search.live_index.load_index", broken)
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                service.searcher()
    assert service.searcher()[1] is None


def test_old_index_serves_while_it_is_deleted_and_rebuilt(folder: Path) -> None:
    service = LiveIndex(folder / "model.pth", folder / "index")
    first, problem = service.searcher()
    assert problem is None
    assert service.searcher()[0] is first  # loaded once
    shutil.rmtree(folder / "index")
    meanwhile, problem = service.searcher()
    assert meanwhile is first
    assert "does not exist" in str(problem)
    assert len(meanwhile.index.search(np.eye(1, 1280, dtype=np.float32)[0], 10)) == 3
    write_index(folder, photos=5)
    after, problem = service.searcher()
    assert problem is None
    assert len(after.index.table) == 5


def test_half_replaced_index_is_not_mixed_with_the_old_one(folder: Path) -> None:
    service = LiveIndex(folder / "model.pth", folder / "index")
    first, _ = service.searcher()
    manifest = (folder / "index/index.json").read_bytes()
    write_index(folder, photos=4)
    (folder / "index/index.json").write_bytes(manifest)
    search, problem = service.searcher()
    assert search is first
    assert isinstance(problem, DamagedIndexError)


def test_search_works_at_every_step_of_a_swap(folder: Path) -> None:
    service = LiveIndex(folder / "model.pth", folder / "index")
    first, _ = service.searcher()
    query = np.eye(1, 1280, dtype=np.float32)[0]
    new = Path(shutil.copytree(folder, folder / "new"))
    # A lossy index has its vectors in a file besides.
    write_index(new, photos=300, factory="SQ8")
    for name in ("vector_index.bin", "vectors.npy", "photos.csv"):
        (new / "index" / name).replace(folder / "index" / name)
        search, problem = service.searcher()
        assert search is first
        assert isinstance(problem, DamagedIndexError)
        assert search.index.search(query, 1)[0].row == 0
    (new / "index/index.json").replace(folder / "index/index.json")
    search, problem = service.searcher()
    assert problem is None
    assert len(search.index.search(query, 200)) == 200
    # And back: the index of before knows nothing of the vectors beside it.
    write_index(folder, photos=3)
    search, problem = service.searcher()
    assert problem is None
    assert np.array_equal(search.index.vector(0), query)


def test_server_that_is_back_is_noticed_without_a_restart(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise BackendUnavailableError("Milvus at http://x:1 does not answer")

    service = LiveIndex(folder / "model.pth", folder / "index")
    with monkeypatch.context() as patch:
        patch.setattr(FaissBackend, "open", lost)
        with pytest.raises(BackendUnavailableError):
            service.searcher()
    with pytest.raises(BackendUnavailableError):
        service.searcher()  # not asked again at once
    monkeypatch.setattr("panthera_vision.search.live_index._RETRY_SECONDS", 0)
    assert service.searcher()[1] is None


def test_load_errors_have_types_if_no_index_was_loaded(folder: Path) -> None:
    service = LiveIndex(folder / "model.pth", folder / "index")
    write_index(folder, photos=3, fingerprint="f" * 64)
    with pytest.raises(ForeignIndexError):
        service.searcher()
    vectors = folder / "index/vector_index.bin"
    vectors.write_bytes(vectors.read_bytes()[:100])
    with pytest.raises(DamagedIndexError, match=r"vector_index\.bin"):
        service.searcher()
    (folder / "model.pth").unlink()
    shutil.rmtree(folder / "index")
    with pytest.raises(UserError, match="does not exist"):
        service.searcher()
    with pytest.raises(UserError, match="does not exist"):
        service.searcher()
