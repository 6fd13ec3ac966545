"""How good a search is: every photo searched with in turn, and which results are of its species.

Leave-one-out: the query itself is no candidate, and neither is any photo of the same observer on
the same day, as those mostly show the same animal in the same place and would flatter every
search. A hit is a photo of the query's species.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from panthera_vision.evaluation.bootstrap import bootstrap_intervals

DEPTH = 10
MEASURES = ("precision_at_10", "map_at_10", "recall_at_1", "recall_at_5", "recall_at_10")
_QUERIES_AT_ONCE = 256

# (queries (Q, dimension), count) → similarities and rows (Q, count), best first, rows -1 where
# there are fewer.
SearchFunction = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Results:
    """What Q queries found.

    Attributes:
        queries: their rows in the index (Q,).
        similarities: of the results, best first (Q, DEPTH).
        rows: of the results (Q, DEPTH); -1 where there are fewer.
        hits: which results are of the query's species (Q, DEPTH).
        measures: of `measures_by_query`, Q rows.
    """

    queries: np.ndarray
    similarities: np.ndarray
    rows: np.ndarray
    hits: np.ndarray
    measures: pd.DataFrame


def leave_one_out(
    search: SearchFunction,
    vectors: np.ndarray,
    queries: np.ndarray,
    species: np.ndarray,
    groups: Sequence[str],
    allowed: np.ndarray,
) -> Results:
    """Search with photos of the index, each for its species' photos of other groups.

    Args:
        search: what is evaluated; it gives none but allowed rows.
        vectors: the queries' L2-normalised embeddings (Q, dimension).
        queries: the queries' rows in the index (Q,).
        species, groups: of each photo of the index (N,).
        allowed: the rows that may be found.
    """
    similarities, rows = nearest_of_other_groups(search, vectors, queries, groups)
    there = rows >= 0
    hits = there & (species[rows] == species[queries][:, None])
    relevant = candidates_of_species(species, groups, queries, allowed)
    measures = measures_by_query(hits, there, relevant)
    return Results(queries, similarities, rows, hits, measures)


def nearest_of_other_groups(
    search: SearchFunction, vectors: np.ndarray, queries: np.ndarray, groups: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The first `DEPTH` results of each query that are not of its own group.

    Args:
        search: what is evaluated.
        vectors: the queries' L2-normalised embeddings (Q, dimension).
        queries: the queries' rows in the index (Q,).
        groups: the group of each photo of the index.

    Returns:
        Similarities (Q, DEPTH), and rows (Q, DEPTH); -1 where there are fewer.
    """
    _, numbers = np.unique(np.asarray(groups), return_inverse=True)
    own = numbers[queries]
    in_the_way = np.bincount(numbers)[own]
    similarities = np.full((len(queries), DEPTH), -np.inf)
    rows = np.full((len(queries), DEPTH), -1, dtype=np.int64)
    # Queries with groups alike in size together: a large group makes only its own search deeper.
    order = np.argsort(in_the_way, kind="stable")
    for start in range(0, len(order), _QUERIES_AT_ONCE):
        some = order[start : start + _QUERIES_AT_ONCE]
        depth = min(DEPTH + int(in_the_way[some].max()), len(numbers))
        found_similarities, found = search(vectors[some], depth)
        candidate = (found >= 0) & (numbers[found] != own[some, None])
        # A stable sort brings the candidates to the front in their order.
        front = np.argsort(~candidate, axis=1, kind="stable")[:, :DEPTH]
        there = np.take_along_axis(candidate, front, 1)
        width = front.shape[1]
        rows[some, :width] = np.where(there, np.take_along_axis(found, front, 1), -1)
        similarities[some, :width] = np.where(
            there, np.take_along_axis(found_similarities, front, 1), -np.inf
        )
    return similarities, rows


def candidates_of_species(
    species: np.ndarray, groups: Sequence[str], queries: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """How many photos of each query's species, outside its group, could be found (Q,).

    Args:
        species, groups: of each photo of the index (N,).
        queries: the queries' rows (Q,).
        allowed: the rows that may be found.
    """
    pairs = pd.DataFrame({"species": species, "group": list(groups)})
    there = pairs.iloc[allowed]
    in_all = there["species"].value_counts()
    of_own_group = there.value_counts()
    asked = pairs.iloc[queries]
    keys = pd.MultiIndex.from_frame(asked)
    return np.asarray(
        in_all.reindex(asked["species"], fill_value=0).to_numpy()
        - of_own_group.reindex(keys, fill_value=0).to_numpy()
    )


def measures_by_query(hits: np.ndarray, there: np.ndarray, relevant: np.ndarray) -> pd.DataFrame:
    """Each query's measures; NaN where there is nothing of its species to be found.

    Args:
        hits: which results are of the query's species, best first (Q, DEPTH).
        there: which results there are (Q, DEPTH); fewer in a tiny collection.
        relevant: how many photos could be hits (Q,).

    Returns:
        A column for each of `MEASURES`. precision_at_10: the share of hits among the first ten.
        map_at_10: the average precision of the first ten (its mean is the mAP@10), that is the
        mean of the precision at each hit, where the best that could be is min(10, relevant) hits.
        recall_at_k: whether a hit is among the first k, 0 or 1, as retrieval of images by class is
        usually measured (Song et al., "Deep Metric Learning via Lifted Structured Feature
        Embedding", CVPR 2016); it is not the share of a species' photos that is found.
    """
    ranks = np.arange(1, hits.shape[1] + 1)
    precision_at = hits.cumsum(axis=1) / ranks
    values = {
        "precision_at_10": hits.sum(axis=1) / np.maximum(there.sum(axis=1), 1),
        "map_at_10": (precision_at * hits).sum(axis=1) / np.clip(relevant, 1, hits.shape[1]),
    } | {f"recall_at_{k}": hits[:, :k].any(axis=1).astype(float) for k in (1, 5, 10)}
    table = pd.DataFrame(values, columns=list(MEASURES))
    table[relevant == 0] = np.nan
    return table


def summary(measures: pd.DataFrame, groups: Sequence[str]) -> dict[str, object]:
    """Means over queries with 95% intervals, resampled by group.

    Args:
        measures: of `measures_by_query`.
        groups: each query's group.
    """
    answerable = measures.notna().all(axis=1).to_numpy()
    result: dict[str, object] = {
        "queries": int(answerable.sum()),
        "queries_without_candidates": int((~answerable).sum()),
    }
    if not answerable.any():
        return result
    values = measures[answerable].to_numpy()
    names = list(measures.columns)
    result |= dict(zip(names, map(float, values.mean(axis=0)), strict=True))
    intervals = bootstrap_intervals(
        lambda rows: dict(zip(names, map(float, values[rows].mean(axis=0)), strict=True)),
        list(np.asarray(groups, dtype=object)[answerable]),
    )
    result["interval_95"] = {
        name: {"low": low, "high": high} for name, (low, high) in intervals.items()
    }
    return result


def by_species(
    measures: pd.DataFrame, species: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    """One row a species: its queries and their measures with 95% intervals.

    Args:
        measures: of `measures_by_query`, Q rows.
        species, groups: each query's.
    """
    names = np.asarray(species, dtype=object)
    keys = np.asarray(groups, dtype=object)
    lines = []
    for name in sorted(set(species)):
        of_it = names == name
        found = summary(measures[of_it], list(keys[of_it]))
        intervals = found.pop("interval_95", {})
        line: dict[str, object] = {"species": name} | found
        assert isinstance(intervals, dict)
        for measure, ends in intervals.items():
            line |= {f"{measure}_low": ends["low"], f"{measure}_high": ends["high"]}
        lines.append(line)
    columns = ["species", "queries", "queries_without_candidates"]
    columns += [c for m in MEASURES for c in (m, f"{m}_low", f"{m}_high")]
    return pd.DataFrame(lines, columns=columns).round(4)


def precision_by_rank(results: Results) -> np.ndarray:
    """The share of hits among all first results, first two results, … (DEPTH,)."""
    answerable = results.measures.notna().all(axis=1).to_numpy()
    hits, there = results.hits[answerable], results.rows[answerable] >= 0
    return np.asarray(hits.sum(axis=0).cumsum() / np.maximum(there.sum(axis=0).cumsum(), 1))


def originals_found(
    search: SearchFunction, vectors: np.ndarray, originals: np.ndarray, contents: Sequence[str]
) -> np.ndarray:
    """Whether the first result for an altered copy is the photo that it was made of, (Q,).

    No photo is left out of the candidates here. A photo of the same file counts as the original.

    Args:
        search: what is evaluated.
        vectors: the copies' L2-normalised embeddings (Q, dimension).
        originals: the rows of the photos that they were made of (Q,).
        contents: what tells each photo's file from others, such as its SHA-256 (N,).
    """
    content = np.asarray(contents, dtype=object)
    found = np.concatenate(
        [
            search(vectors[start : start + _QUERIES_AT_ONCE], 1)[1][:, 0]
            for start in range(0, len(vectors), _QUERIES_AT_ONCE)
        ]
    )
    return np.asarray((found >= 0) & (content[found] == content[originals]))
