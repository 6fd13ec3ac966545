from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from panthera_vision.search.duplicates import group_near_duplicates
from panthera_vision.search.index.backend import RowFilter
from panthera_vision.search.index.faiss_build import build_faiss
from panthera_vision.search.index.manifest import IndexManifest
from panthera_vision.search.index.photo_index import GROUP_COLUMN, PhotoIndex
from panthera_vision.search.results import search_grouped
from panthera_vision.search.results_table import results_csv

SHOTS, COPIES, DIMENSION = 30, 4, 64
SIMILARITY = 0.94


def index_of(vectors: np.ndarray, species: list[str] | None = None) -> PhotoIndex:
    engine = build_faiss(vectors)
    groups = group_near_duplicates(engine, SIMILARITY)
    table = pd.DataFrame(
        {
            "id": [str(number) for number in range(len(vectors))],
            "species": species or ["Panthera leo"] * len(vectors),
            GROUP_COLUMN: groups.astype(str),
        }
    )
    return PhotoIndex(engine, table, IndexManifest("", "", vectors.shape[1], len(vectors), "", ""))


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Each shot four times, hardly changed, the copies far from each other in the table."""
    random = np.random.default_rng(3)
    shots = unit(random.normal(size=(SHOTS, DIMENSION)))
    return unit(
        np.tile(shots, (COPIES, 1)) + 0.01 * random.normal(size=(SHOTS * COPIES, DIMENSION))
    )


def test_copies_share_a_group_and_other_shots_do_not(vectors: np.ndarray) -> None:
    groups = index_of(vectors).groups
    assert groups.tolist() == list(range(SHOTS)) * COPIES


def test_a_chain_of_ever_less_similar_photos_is_no_single_group() -> None:
    angles = np.arange(20) * 0.3  # neighbours at cos 0.3 = 0.955, the next but one at 0.825
    groups = index_of(unit(np.stack([np.cos(angles), np.sin(angles)], axis=1))).groups
    for group in set(groups.tolist()):
        members = angles[groups == group]
        middle = min(members, key=lambda angle: np.abs(members - angle).max())
        assert np.cos(np.abs(members - middle).max()) >= SIMILARITY


def test_ten_groups_come_back_where_ten_exist_each_by_its_best(vectors: np.ndarray) -> None:
    index = index_of(vectors)
    for query in vectors[:5]:
        hits = search_grouped(index, query, 10)
        groups = [int(index.groups[folded.best.row]) for folded in hits]
        assert len(hits) == len(set(groups)) == 10
        similarities = vectors @ query
        best_of_group = [similarities[index.groups == group].max() for group in range(SHOTS)]
        assert groups == np.argsort(-np.array(best_of_group))[:10].tolist()
        for folded in hits:
            assert len(folded.others) == COPIES - 1
            assert all(hit.similarity <= folded.best.similarity for hit in folded.others)


def test_a_group_has_only_photos_that_pass_the_filter(vectors: np.ndarray) -> None:
    index = index_of(vectors)
    rows = np.concatenate([np.arange(1, 7), [SHOTS + 1]])
    hits = search_grouped(index, vectors[0], 50, RowFilter(rows))
    assert len(hits) == 6
    found = [hit.row for folded in hits for hit in (folded.best, *folded.others)]
    assert sorted(found) == rows.tolist()
    assert search_grouped(index, vectors[0], 10, RowFilter(np.array([], dtype=np.int64))) == []


def test_results_to_take_along_compute_nothing_in_a_spreadsheet(
    vectors: np.ndarray, tmp_path: Path
) -> None:
    index = index_of(vectors)
    photos = index.table.assign(observer="=HYPERLINK(1)", latitude="-12.5", place="+SUM(1)")
    file = tmp_path / "results.csv"
    file.write_bytes(results_csv(photos, search_grouped(index, vectors[0], 5)))
    table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert len(table) == 5 * COPIES
    assert table["rank"].tolist() == [str(rank) for rank in range(1, 6) for _ in range(COPIES)]
    assert set(table["observer"]) == {"'=HYPERLINK(1)"}
    assert set(table["place"]) == {"'+SUM(1)"}
    assert set(table["latitude"]) == {"-12.5"}
    assert table["id"][0] == "0"
    assert table["fold"].value_counts().to_dict() == {"": 5, "near-duplicate": 15}
