"""Retrieval metrics by leave-one-out: precision@k, mAP@k and recall@k of a species search.

Each photo of the index is a query in turn. Excluded are the query itself and any photo of
the same encounter (observer and day): those mostly show the same animal in the same place and would
inflate the metrics. A hit is a photo of the query's species.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.evaluation.bootstrap import bootstrap_intervals

DEPTH = 10
METRICS = ("precision_at_10", "map_at_10", "recall_at_1", "recall_at_5", "recall_at_10")
_QUERIES_PER_BATCH = 256

# (queries (Q, dimension), k) → similarities and rows (Q, k), best first, row -1 where there are
# fewer.
SearchFunction = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Results:
    """Hold the results of Q queries.

    Attributes:
        queries: their rows in the index (Q,).
        similarities: of the results, best first (Q, DEPTH).
        rows: of the results (Q, DEPTH); -1 where there are fewer.
        hits: which results are of the query's species (Q, DEPTH).
        metrics: from `query_metrics`, Q rows.
    """

    queries: np.ndarray
    similarities: np.ndarray
    rows: np.ndarray
    hits: np.ndarray
    metrics: pd.DataFrame


def leave_one_out(
    search: SearchFunction,
    vectors: np.ndarray,
    queries: np.ndarray,
    species: np.ndarray,
    groups: Sequence[str],
    allowed: np.ndarray,
) -> Results:
    """Search with photos of the index for photos of their species in other groups.

    Args:
        search: the search to evaluate; it returns allowed rows only.
        vectors: the queries' L2-normalized embeddings (Q, dimension).
        queries: the queries' rows in the index (Q,).
        species: of each photo of the index (N,).
        groups: the encounter of each photo of the index (N,).
        allowed: the candidate rows.
    """
    similarities, rows = _nearest_of_other_groups(search, vectors, queries, groups)
    found = rows >= 0
    hits = found & (species[rows] == species[queries][:, None])
    relevant = _relevant_counts(species, groups, queries, allowed)
    return Results(queries, similarities, rows, hits, query_metrics(hits, found, relevant))


def _nearest_of_other_groups(
    search: SearchFunction, vectors: np.ndarray, queries: np.ndarray, groups: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Find each query's first `DEPTH` results of other groups: similarities and rows (Q, DEPTH)."""
    _, numbers = np.unique(np.asarray(groups), return_inverse=True)
    own = numbers[queries]
    group_sizes = np.bincount(numbers)[own]
    similarities = np.full((len(queries), DEPTH), -np.inf)
    rows = np.full((len(queries), DEPTH), -1, dtype=np.int64)
    # Queries with groups of similar size share a batch: a large group deepens only its own search.
    order = np.argsort(group_sizes, kind="stable")
    for start in range(0, len(order), _QUERIES_PER_BATCH):
        batch = order[start : start + _QUERIES_PER_BATCH]
        depth = min(DEPTH + int(group_sizes[batch].max()), len(numbers))
        found_similarities, found = search(vectors[batch], depth)
        candidate = (found >= 0) & (numbers[found] != own[batch, None])
        # A stable sort moves the candidates to the front in their order.
        front = np.argsort(~candidate, axis=1, kind="stable")[:, :DEPTH]
        valid = np.take_along_axis(candidate, front, 1)
        width = front.shape[1]
        rows[batch, :width] = np.where(valid, np.take_along_axis(found, front, 1), -1)
        similarities[batch, :width] = np.where(
            valid, np.take_along_axis(found_similarities, front, 1), -np.inf
        )
    return similarities, rows


def _relevant_counts(
    species: np.ndarray, groups: Sequence[str], queries: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """Count the candidates of each query's species outside its group (Q,)."""
    pairs = pd.DataFrame({"species": species, "group": list(groups)})
    candidates, asked = pairs.iloc[allowed], pairs.iloc[queries]
    of_species = candidates["species"].value_counts()
    of_own_group = candidates.value_counts()
    return np.asarray(
        of_species.reindex(asked["species"], fill_value=0).to_numpy()
        - of_own_group.reindex(pd.MultiIndex.from_frame(asked), fill_value=0).to_numpy()
    )


def query_metrics(hits: np.ndarray, found: np.ndarray, relevant: np.ndarray) -> pd.DataFrame:
    """Compute the metrics of each query; NaN where no photo is relevant.

    Args:
        hits: which results are of the query's species, best first (Q, DEPTH).
        found: which results there are (Q, DEPTH); fewer in a tiny collection.
        relevant: number of photos that could be hits (Q,).

    Returns:
        A column for each of `METRICS`. precision_at_10: share of hits among the first ten.
        map_at_10: average precision of the first ten (its mean is the mAP@10), the mean of the
        precision at each hit over the best possible number of hits, min(10, relevant).
        recall_at_k: 1 if a hit is among the first k, else 0, as usual in image retrieval by class
        (Song et al., "Deep Metric Learning via Lifted Structured Feature Embedding", CVPR 2016);
        not the share of a species' photos that is found.
    """
    ranks = np.arange(1, hits.shape[1] + 1)
    precision_at = hits.cumsum(axis=1) / ranks
    values = {
        "precision_at_10": hits.sum(axis=1) / np.maximum(found.sum(axis=1), 1),
        "map_at_10": (precision_at * hits).sum(axis=1) / np.clip(relevant, 1, hits.shape[1]),
    } | {f"recall_at_{k}": hits[:, :k].any(axis=1).astype(float) for k in (1, 5, 10)}
    table = pd.DataFrame(values, columns=list(METRICS))
    table[relevant == 0] = np.nan
    return table


def summarize(metrics: pd.DataFrame, groups: Sequence[str]) -> dict[str, Any]:
    """Compute means over queries with 95% cluster bootstrap intervals.

    `metrics` are from `query_metrics`, `groups` each query's encounter: the bootstrap's cluster.
    """
    answerable = metrics.notna().all(axis=1).to_numpy()
    result: dict[str, Any] = {
        "queries": int(answerable.sum()),
        "queries_without_candidates": int((~answerable).sum()),
    }
    if not answerable.any():
        return result
    values = metrics[answerable].to_numpy()

    def means(rows: np.ndarray | slice) -> dict[str, float]:
        return dict(zip(metrics.columns, map(float, values[rows].mean(axis=0)), strict=True))

    intervals = bootstrap_intervals(means, list(np.asarray(groups, dtype=object)[answerable]))
    result |= means(slice(None))
    result["interval_95"] = {
        name: {"low": low, "high": high} for name, (low, high) in intervals.items()
    }
    return result


def metrics_by_species(
    metrics: pd.DataFrame, species: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    """Summarize the metrics of each species, one row per species; see `summarize`."""
    names, keys = np.asarray(species, dtype=object), np.asarray(groups, dtype=object)
    lines = []
    for name in sorted(set(species)):
        line = {"species": name} | summarize(metrics[names == name], list(keys[names == name]))
        for metric, ends in line.pop("interval_95", {}).items():
            line |= {f"{metric}_low": ends["low"], f"{metric}_high": ends["high"]}
        lines.append(line)
    columns = ["species", "queries", "queries_without_candidates"]
    columns += [name for metric in METRICS for name in (metric, f"{metric}_low", f"{metric}_high")]
    return pd.DataFrame(lines, columns=columns).round(4)


def precision_by_rank(results: Results) -> np.ndarray:
    """Compute precision@1, precision@2, … over all queries (DEPTH,)."""
    answerable = results.metrics.notna().all(axis=1).to_numpy()
    hits, found = results.hits[answerable], results.rows[answerable] >= 0
    return np.asarray(hits.sum(axis=0).cumsum() / np.maximum(found.sum(axis=0).cumsum(), 1))


def originals_found(
    search: SearchFunction, vectors: np.ndarray, originals: np.ndarray, contents: Sequence[str]
) -> np.ndarray:
    """Return whether the first result of each perturbed copy is its original (Q,).

    All photos are candidates. A photo with the same file content counts as the original.

    Args:
        search: the search to evaluate.
        vectors: the copies' L2-normalized embeddings (Q, dimension).
        originals: the originals' rows (Q,).
        contents: of each photo's file, such as its SHA-256 (N,).
    """
    content = np.asarray(contents, dtype=object)
    batches = np.split(vectors, range(_QUERIES_PER_BATCH, len(vectors), _QUERIES_PER_BATCH))
    found = np.concatenate([search(batch, 1)[1][:, 0] for batch in batches])
    return np.asarray((found >= 0) & (content[found] == content[originals]))
