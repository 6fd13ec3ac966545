import json
from dataclasses import replace
from pathlib import Path
from random import Random

import faiss
import numpy as np
import pandas as pd
import pytest

from panthera_vision.data.splits import observation_groups
from panthera_vision.errors import UserError
from panthera_vision.inference.predictor import Predictor
from panthera_vision.io.atomic import sha256_of_file
from panthera_vision.models.checkpoint import TrainedModel
from panthera_vision.search.index.backend import IndexSpec, RowFilter
from panthera_vision.search.index.build_index import build_index
from panthera_vision.search.index.photo_index import load_index

from ..conftest import SPECIES
from ..made_search import untrained_model

COUNT, DIMENSION = 200, 16


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return untrained_model(fingerprint="a" * 64)


@pytest.fixture
def vectors() -> np.ndarray:
    values = np.random.default_rng(1).normal(size=(COUNT, DIMENSION)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.fixture
def folder(tmp_path: Path, vectors: np.ndarray, model: TrainedModel) -> Path:
    table = pd.DataFrame(
        {
            "id": [str(number) for number in range(COUNT)],
            "species": [SPECIES[min(number % 20, 4)] for number in range(COUNT)],
        }
    )
    build_index(vectors, table, model, tmp_path, IndexSpec(0.98))
    return tmp_path


def test_hits_are_the_exact_nearest_neighbors(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    for query in vectors[:5]:
        hits = index.search(query, 10)
        expected = np.argsort(-(vectors @ query))[:10]
        assert [hit.row for hit in hits] == expected.tolist()
        assert hits[0].similarity == pytest.approx(1, abs=1e-5)
        similarities = [hit.similarity for hit in hits]
        assert similarities == sorted(similarities, reverse=True)


def test_filtered_search_returns_k_if_k_pass(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    rare = index.table["species"] == "Panthera leo"
    assert rare.sum() == 10
    hits = index.search(vectors[3], 10, RowFilter(np.flatnonzero(rare)))
    assert len(hits) == 10
    assert set(index.table["species"][[hit.row for hit in hits]]) == {"Panthera leo"}
    assert index.search(vectors[3], 10, RowFilter(np.array([], dtype=np.int64))) == []
    assert len(index.search(vectors[3], 500)) == COUNT


def test_excluded_photo_is_replaced_by_the_next(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    with_itself = [hit.row for hit in index.search(vectors[3], 11)]
    assert with_itself[0] == 3
    assert [hit.row for hit in index.search(vectors[3], 10, exclude=3)] == with_itself[1:]
    assert len(index.search(vectors[3], COUNT, exclude=3)) == COUNT - 1


def test_batch_search_equals_single_searches(folder: Path, vectors: np.ndarray) -> None:
    index = load_index(folder)
    _, together = index.backend.search(vectors[:30], 10)
    for query, rows in zip(vectors[:30], together, strict=True):
        assert rows.tolist() == [hit.row for hit in index.search(query, 10)]


def test_index_of_another_model_is_rejected(folder: Path, model: TrainedModel) -> None:
    index = load_index(folder)
    index.require_model(model)
    with pytest.raises(UserError, match="made by model aaaaaaaaaaaa, and this is model bbbbbbbb"):
        index.require_model(replace(model, fingerprint="b" * 64))


@pytest.mark.parametrize("name", ["vector_index.bin", "photos.csv", "index.json"])
def test_errors_name_missing_and_damaged_files(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=name):
        load_index(folder)
    (folder / name).unlink()
    with pytest.raises(UserError, match=f"{name} does not exist"):
        load_index(folder)


def forge(folder: Path, **values: object) -> None:
    """Change the manifest, with the checksums of the current files."""
    manifest = json.loads((folder / "index.json").read_text())
    for name, part in (("vector_index.bin", "index"), ("photos.csv", "table")):
        manifest[f"{part}_sha256"] = sha256_of_file(folder / name)
    (folder / "index.json").write_text(json.dumps(manifest | values))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("photos", "200"),
        ("photos", None),
        ("dimension", [16]),
        ("dimension", True),
        ("search", 5),
        ("factory", None),
        ("model_fingerprint", 1),
        ("more", "x"),
    ],
)
def test_manifest_with_wrong_types_is_rejected(folder: Path, part: str, value: object) -> None:
    forge(folder, **{part: value})
    with pytest.raises(UserError, match=r"index\.json is damaged"):
        load_index(folder)


@pytest.mark.parametrize("kept", [0, 10, 100, 5000])
def test_truncated_index_with_matching_checksum_is_rejected(folder: Path, kept: int) -> None:
    content = (folder / "vector_index.bin").read_bytes()
    (folder / "vector_index.bin").write_bytes(content[:kept])
    forge(folder)
    with pytest.raises(UserError, match=r"vector_index\.bin is not a FAISS index"):
        load_index(folder)


def test_index_and_table_of_different_length_are_rejected(folder: Path) -> None:
    lines = (folder / "photos.csv").read_text().splitlines(keepends=True)
    (folder / "photos.csv").write_text("".join(lines[:-1]))
    forge(folder)
    with pytest.raises(UserError, match="200 vectors, its table 199 photos, its manifest says 200"):
        load_index(folder)
    forge(folder, photos=COUNT - 1)
    with pytest.raises(UserError, match="200 vectors, its table 199 photos, its manifest says 199"):
        load_index(folder)


@pytest.mark.parametrize("own_groups", [False, True])
def test_near_duplicate_groups_do_not_replace_encounters(
    vectors: np.ndarray, model: TrainedModel, tmp_path: Path, own_groups: bool
) -> None:
    # Queries of the search's evaluation find no photo of their own encounter.
    table = pd.DataFrame(
        {
            "id": [str(number) for number in range(COUNT)],
            "species": "Panthera leo",
            "observer": [f"observer{number % 7}" for number in range(COUNT)],
            "observed_on": "2020-05-01",
        }
    )
    if own_groups:
        table["group"] = ["burst" if number < 50 else "" for number in range(COUNT)]
    before = observation_groups(table, "observer_day")
    build_index(vectors, table, model, tmp_path, IndexSpec(0.98))
    after = observation_groups(load_index(tmp_path).table, "observer_day")
    assert after.tolist() == before.tolist()


@pytest.mark.parametrize("group", ["999999999", "-1", "x", ""])
def test_invalid_group_numbers_are_rejected(folder: Path, group: str) -> None:
    table = pd.read_csv(folder / "photos.csv", dtype=str)
    table.loc[3, "duplicate_group"] = group
    table.to_csv(folder / "photos.csv", index=False)
    forge(folder)
    with pytest.raises(UserError, match=r"photos\.csv (has more groups|has no valid column)"):
        load_index(folder)


def test_unreadable_table_is_rejected(folder: Path) -> None:
    for content, message in ((b"", "is not a table"), (b"\xff\xfe", "is not a table")):
        (folder / "photos.csv").write_bytes(content)
        forge(folder)
        with pytest.raises(UserError, match=message):
            load_index(folder)


def test_vectors_of_another_shape_or_pickled_are_rejected(folder: Path) -> None:
    np.save(folder / "vectors.npy", np.zeros((COUNT, DIMENSION + 1), dtype=np.float32))
    forge(folder, vectors_sha256=sha256_of_file(folder / "vectors.npy"))
    with pytest.raises(UserError, match=r"vectors\.npy does not match"):
        load_index(folder)
    np.save(folder / "vectors.npy", np.array([Path("evil")], dtype=object), allow_pickle=True)
    forge(folder, vectors_sha256=sha256_of_file(folder / "vectors.npy"))
    with pytest.raises(UserError, match=r"vectors\.npy does not match"):
        load_index(folder)


def test_l2_index_is_rejected(folder: Path, vectors: np.ndarray) -> None:
    index = faiss.IndexFlatL2(DIMENSION)
    index.add(vectors)
    faiss.write_index(index, str(folder / "vector_index.bin"))
    forge(folder)
    with pytest.raises(UserError, match="does not search by inner product"):
        load_index(folder)


def test_index_of_another_dimension_is_rejected(folder: Path, model: TrainedModel) -> None:
    with pytest.raises(UserError, match=r"vectors of 16 numbers, .* this model makes 1280"):
        load_index(folder).embedder(Predictor(model))


@pytest.mark.parametrize("factory", ["Flat", "HNSW8", "SQ8", "IVF4,SQ8"])
def test_fuzzed_index_file_is_rejected_or_searchable(
    folder: Path, vectors: np.ndarray, model: TrainedModel, factory: str
) -> None:
    """What FAISS reads from a damaged file must still be searchable."""
    table = pd.DataFrame({"id": [str(n) for n in range(COUNT)], "species": SPECIES[0]})
    build_index(vectors, table, model, folder, IndexSpec(0.98, factory=factory))
    whole = (folder / "vector_index.bin").read_bytes()
    luck = Random(factory)
    refused = 0
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(luck.randrange(1, 4)):
            at = luck.randrange(min(len(damaged), 120))
            damaged[at : at + 8] = luck.choice((0, 1, 2**31, 2**40, 2**63)).to_bytes(8, "little")
        (folder / "vector_index.bin").write_bytes(damaged)
        forge(folder)
        try:
            assert len(load_index(folder).search(vectors[0], 5)) == 5
        except UserError:
            refused += 1
    assert refused
