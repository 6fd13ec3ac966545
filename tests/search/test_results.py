from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from panthera_vision.search.duplicates import find_similar_pairs, group_near_duplicates
from panthera_vision.search.filters import PhotoFilter
from panthera_vision.search.index.backend import IndexContent, IndexSpec
from panthera_vision.search.index.faiss_backend import FaissBackend
from panthera_vision.search.index.manifest import IndexManifest
from panthera_vision.search.index.photo_index import DUPLICATES_COLUMN, PhotoIndex
from panthera_vision.search.results import results_csv
from panthera_vision.search.searcher import Searcher

SHOTS, COPIES, DIMENSION = 30, 4, 64
SIMILARITY = 0.94


def groups_of(vectors: np.ndarray) -> np.ndarray:
    """Group similar vectors, whatever their photos show."""
    pairs = find_similar_pairs(vectors, SIMILARITY, at_most=len(vectors) ** 2)
    return group_near_duplicates(pairs.rows, len(vectors))


def searcher_of(vectors: np.ndarray, observers: list[str] | None = None) -> Searcher:
    """Search `vectors`; their model is a stand-in, since no photo is embedded."""
    head = SimpleNamespace(in_features=vectors.shape[1])
    predictor: Any = SimpleNamespace(
        model=SimpleNamespace(fingerprint="", classifier=SimpleNamespace(head=head))
    )
    content = IndexContent(vectors, pd.DataFrame())
    backend = FaissBackend.build(content, IndexSpec(SIMILARITY, factory="Flat"), Path())
    groups = groups_of(vectors)
    table = pd.DataFrame(
        {
            "id": [str(number) for number in range(len(vectors))],
            "species": ["Panthera leo"] * len(vectors),
            "observer": observers or [""] * len(vectors),
            DUPLICATES_COLUMN: groups.astype(str),
        }
    )
    manifest = IndexManifest("", "", vectors.shape[1], len(vectors), "", "")
    return Searcher(predictor, PhotoIndex(backend, table, manifest))


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Make four near-duplicates of each shot, far from each other in the table."""
    random = np.random.default_rng(3)
    shots = unit(random.normal(size=(SHOTS, DIMENSION)))
    return unit(
        np.tile(shots, (COPIES, 1)) + 0.01 * random.normal(size=(SHOTS * COPIES, DIMENSION))
    )


def test_near_duplicates_share_a_group(vectors: np.ndarray) -> None:
    groups = searcher_of(vectors).index.groups
    assert groups.tolist() == list(range(SHOTS)) * COPIES


def test_chains_of_similar_photos_are_cut() -> None:
    angles = np.arange(20) * 0.3  # neighbours at cos 0.3 = 0.955, the next but one at 0.825
    vectors = unit(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    groups = groups_of(vectors)
    for group in set(groups.tolist()):
        members = angles[groups == group]
        middle = min(members, key=lambda angle: np.abs(members - angle).max())
        assert np.cos(np.abs(members - middle).max()) >= SIMILARITY


def test_grouped_search_returns_k_groups_ranked_by_best_photo(vectors: np.ndarray) -> None:
    searcher = searcher_of(vectors)
    index = searcher.index
    for query in vectors[:5]:
        hits = searcher.search(query, 10).groups
        groups = [int(index.groups[folded.best.row]) for folded in hits]
        assert len(hits) == len(set(groups)) == 10
        similarities = vectors @ query
        best_of_group = [similarities[index.groups == group].max() for group in range(SHOTS)]
        assert groups == np.argsort(-np.array(best_of_group))[:10].tolist()
        for folded in hits:
            assert len(folded.others) == COPIES - 1
            assert all(hit.similarity <= folded.best.similarity for hit in folded.others)


def test_groups_contain_only_photos_that_pass_the_filter(vectors: np.ndarray) -> None:
    rows = [1, 2, 3, 4, 5, 6, SHOTS + 1]
    searcher = searcher_of(vectors, ["Ann" if row in rows else "" for row in range(len(vectors))])
    result = searcher.search(vectors[0], 50, where=PhotoFilter(observers=("Ann",)))
    assert (len(result.groups), result.matching) == (6, len(rows))
    found = [hit.row for group in result.groups for hit in (group.best, *group.others)]
    assert sorted(found) == rows
    nobody = searcher.search(vectors[0], 10, where=PhotoFilter(observers=("nobody",)))
    assert (nobody.groups, nobody.matching) == ([], 0)


def test_excluded_photo_is_in_no_group(vectors: np.ndarray) -> None:
    searcher = searcher_of(vectors)
    grouped = searcher.search(vectors[3], 5, exclude=3).groups
    assert len(grouped) == 5
    assert 3 not in [hit.row for group in grouped for hit in (group.best, *group.others)]
    single = searcher.search(vectors[3], 5, group_duplicates=False, exclude=3).groups
    assert [group.best.row % SHOTS for group in single[:3]] == [3, 3, 3]
    assert 3 not in [group.best.row for group in single]


def test_results_csv_escapes_formulas(vectors: np.ndarray, tmp_path: Path) -> None:
    searcher = searcher_of(vectors)
    photos = searcher.index.table.assign(
        observer="=HYPERLINK(1)", latitude="-12.5", place="+SUM(1)"
    )
    file = tmp_path / "results.csv"
    file.write_bytes(results_csv(photos, searcher.search(vectors[0], 5).groups))
    table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert len(table) == 5 * COPIES
    assert table["rank"].tolist() == [str(rank) for rank in range(1, 6) for _ in range(COPIES)]
    assert set(table["observer"]) == {"'=HYPERLINK(1)"}
    assert set(table["place"]) == {"'+SUM(1)"}
    assert set(table["latitude"]) == {"-12.5"}
    assert table["id"][0] == "0"
    assert table["fold"].value_counts().to_dict() == {"": 5, "near-duplicate": 15}
