from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.search.evaluation.data_quality import (
    disagreeing_neighbors,
    duplicates_across_splits,
    write_curation_page,
)
from panthera_vision.search.evaluation.metrics import Results, query_metrics

from ..conftest import draw_photo


def photos(species: list[str]) -> pd.DataFrame:
    count = len(species)
    return pd.DataFrame(
        {
            "id": [f"p{n}" for n in range(count)],
            "species": species,
            "observer": "<b>ann</b>",
            "observed_on": "2024-05-01",
            "observation_url": [f"https://example.org/{n}" for n in range(count)],
            "license": "",
            "attribution": "",
        }
    )


def at(degrees: list[float]) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def test_lists_duplicate_groups_that_span_splits() -> None:
    table = photos(["leo", "leo", "leo", "leo", "onca", "leo", "leo"])
    splits = pd.Series(["train", "test", "train", "train", "validation", "train", ""])
    groups = np.array([0, 0, 0, 1, 1, 2, 2])
    vectors = at([0, 10, 14, 50, 52, 80, 80])
    listed = duplicates_across_splits(table, splits, groups, vectors.__getitem__)
    assert listed["id"].tolist() == ["p0", "p1", "p2", "p3", "p4"]
    # The nearest across the border: the third is nearer to the second than the first is.
    expected = np.cos(np.radians([10, 4, 4, 2, 2])).round(4)
    assert listed["similarity"].tolist() == expected.tolist()
    assert listed["species_differ"].tolist() == ["", "", "", "yes", "yes"]


def results_of(rows: list[list[int]], table: pd.DataFrame) -> Results:
    found = np.array(rows)
    species = table["species"].to_numpy(dtype=object)
    hits = (found >= 0) & (species[found] == species[: len(found), None])
    similarities = np.tile(np.linspace(0.9, 0.5, found.shape[1]), (len(found), 1))
    metrics = query_metrics(hits, found >= 0, np.full(len(found), 5))
    return Results(np.arange(len(found)), similarities, found, hits, metrics)


def test_lists_photos_whose_neighbors_are_of_another_species(tmp_path: Path) -> None:
    table = photos(["leo"] * 3 + ["onca"] * 12)
    onca = list(range(3, 13))
    table.loc[2, "observation_url"] = "javascript:alert(1)"
    results = results_of(
        [[1, *onca[:9]], [0, 2, *onca[:5], 2, 0, 2], onca, [4, 5, 6, 7, 8, 9, 10, 11, 12, 0]], table
    )
    listed = disagreeing_neighbors(table, pd.Series([""] * 15), results, 0.8)
    assert listed["id"].tolist() == ["p2", "p0"]
    assert listed["neighbours"].tolist() == [10, 9]
    assert listed["suggested_species"].tolist() == ["onca", "onca"]
    assert listed["nearest"].tolist() == ["p3", "p3"]
    paths = [tmp_path / f"{n}.png" for n in range(15)]
    for number, path in enumerate(paths):
        draw_photo("Panthera leo", number).save(path)
    none = duplicates_across_splits(
        table, pd.Series([""] * 15), np.arange(15), at(list(range(15))).__getitem__
    )
    assert none.empty
    write_curation_page(table, paths, none, listed, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "No near-duplicates across splits." in page
    assert 'href="https://example.org/0"' in page
    assert "10 of 10 neighbors" in page
    assert "javascript:" not in page
    assert "<b>ann" not in page


def test_collection_without_neighbors_gives_empty_tables() -> None:
    table = photos(["leo"])
    results = results_of([[-1] * 10], table)
    assert disagreeing_neighbors(table, pd.Series(["train"]), results, 0.8).empty
