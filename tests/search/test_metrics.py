import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from panthera_vision.search.evaluation.metrics import (
    DEPTH,
    leave_one_out,
    metrics_by_species,
    originals_found,
    precision_by_rank,
    query_metrics,
    summarize,
)


def exact(vectors: np.ndarray, allowed: np.ndarray | None = None):
    """Search by brute force over `allowed` rows."""
    rows = np.arange(len(vectors)) if allowed is None else allowed

    def search(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        similarities = queries @ vectors[rows].T
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :count]
        found = rows[order]
        best = np.take_along_axis(similarities, order, 1)
        missing = count - found.shape[1]
        return (
            np.pad(best, ((0, 0), (0, missing)), constant_values=-1),
            np.pad(found, ((0, 0), (0, missing)), constant_values=-1),
        )

    return search


def unit(count: int, seed: int, dimension: int = 6) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, dimension))
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@given(st.integers(0, 10_000), st.integers(2, 80), st.integers(1, 30), st.booleans())
@settings(deadline=None, max_examples=60)
def test_metrics_equal_a_plain_loop_and_scikit_learn(
    seed: int, count: int, group_count: int, some_only: bool
) -> None:
    random = np.random.default_rng(seed)
    vectors = unit(count, seed)
    species = random.choice(["leo", "onca", "uncia"], count)
    groups = [str(n) for n in random.integers(0, group_count, count)]
    allowed = np.flatnonzero(random.random(count) < 0.6) if some_only else np.arange(count)
    queries = np.arange(count)
    results = leave_one_out(exact(vectors, allowed), vectors, queries, species, groups, allowed)
    for query in queries:
        others = [row for row in allowed if groups[row] != groups[query]]
        ranked = sorted(others, key=lambda row: -(vectors[query] @ vectors[row]))
        right = [species[row] == species[query] for row in ranked]
        found = [row for row in results.rows[query] if row >= 0]
        assert found == ranked[:DEPTH]
        measured = results.metrics.iloc[query]
        if not any(right):
            assert measured.isna().all()
            continue
        first = right[:DEPTH]
        assert measured["precision_at_10"] == pytest.approx(sum(first) / len(first))
        precisions = [sum(first[: k + 1]) / (k + 1) for k in range(len(first)) if first[k]]
        assert measured["map_at_10"] == pytest.approx(sum(precisions) / min(10, sum(right)))
        for k in (1, 5, 10):
            assert measured[f"recall_at_{k}"] == float(any(right[:k]))
        if sum(right) <= sum(first):  # all that could be found is among the first ten
            expected = average_precision_score(right, -np.arange(len(right)))
            assert measured["map_at_10"] == pytest.approx(expected)


def test_photos_of_the_same_encounter_are_excluded() -> None:
    # A burst of 40 alike leopards, one other leopard near them, and jaguars farther off.
    vectors = np.vstack([np.tile([1.0, 0, 0], (40, 1)), [[0.9, 0.1, 0]], np.eye(3)[[1] * 12]])
    species = np.array(["pardus"] * 41 + ["onca"] * 12)
    groups = ["burst"] * 40 + [f"single {n}" for n in range(13)]
    everything = np.arange(53)
    results = leave_one_out(exact(vectors), vectors, everything, species, groups, everything)
    burst = results.metrics.iloc[:40]
    assert set(results.rows[0]) <= set(range(40, 53))
    assert (burst["recall_at_1"] == 1).all()
    # One photo could be found and came first, nine of the ten are others.
    assert burst["precision_at_10"].tolist() == pytest.approx([0.1] * 40)
    assert burst["map_at_10"].tolist() == pytest.approx([1.0] * 40)


def test_bootstrap_clusters_are_encounters() -> None:
    hits = np.zeros((60, DEPTH), dtype=bool)
    hits[:30] = True
    relevant = np.full(60, 20)
    relevant[59] = 0
    metrics = query_metrics(hits, np.ones_like(hits), relevant)
    singly = summarize(metrics, [str(n) for n in range(60)])
    together = summarize(metrics, [str(n // 10) for n in range(60)])
    assert singly["queries"] == 59
    assert singly["queries_without_candidates"] == 1
    assert singly["precision_at_10"] == pytest.approx(30 / 59)

    def width(result: dict) -> float:
        ends = result["interval_95"]["precision_at_10"]
        return ends["high"] - ends["low"]

    assert width(together) > 1.5 * width(singly)
    table = metrics_by_species(
        metrics, ["leo"] * 30 + ["onca"] * 29 + ["uncia"], [str(n) for n in range(60)]
    )
    assert table["precision_at_10"].tolist()[:2] == [1, 0]
    assert np.isnan(table["precision_at_10"][2])
    assert table["queries"].tolist() == [30, 29, 0]


def test_precision_curve_runs_from_recall_at_1_to_precision_at_10() -> None:
    vectors = unit(50, 3)
    species = np.array(["leo", "onca"] * 25)
    rows = np.arange(50)
    results = leave_one_out(exact(vectors), vectors, rows, species, [str(n) for n in rows], rows)
    curve = precision_by_rank(results)
    assert curve[0] == pytest.approx(results.metrics["recall_at_1"].mean())
    assert curve[-1] == pytest.approx(results.metrics["precision_at_10"].mean())


def test_copy_finds_its_original_or_an_identical_file() -> None:
    vectors = unit(20, 5)
    contents = [f"file {n}" for n in range(20)]
    rows = np.array([4, 5])
    found = originals_found(exact(vectors), vectors[[4, 9]], rows, contents)
    assert found.tolist() == [True, False]
    contents[9] = contents[5]
    assert originals_found(exact(vectors), vectors[[4, 9]], rows, contents).all()
