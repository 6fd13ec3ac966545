"""What `evaluate` leaves behind: figures of the search, tables, and sheets of queries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import write_table
from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.io.atomic import write_json
from panthera_vision.reporting.contact_sheet import save_contact_sheet
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails
from panthera_vision.search.evaluation.metrics import (
    DEPTH,
    Results,
    by_species,
    precision_by_rank,
    summary,
)
from panthera_vision.search.evaluation.plots import (
    ALL,
    HELD_OUT,
    plot_by_species,
    plot_precision_by_rank,
)

METRICS_FILE = "retrieval_metrics.json"
SPECIES_FILE = "retrieval_by_species.csv"
SPECIES_PICTURE = "retrieval_by_species.png"
QUERIES_FILE = "retrieval_queries.csv"
CURVE_FILE = "precision_by_rank.csv"
CURVE_PICTURE = "precision_by_rank.png"
WORST_PICTURE = "worst_queries.png"
BEST_PICTURE = "best_queries.png"
PAGE = "retrieval.html"
# A row of a sheet holds a query and that many of its results.
_SHOWN = 5
_QUERIES_PER_SHEET = 8


def write_retrieval_report(
    table: pd.DataFrame,
    paths: Sequence[Path],
    splits: pd.Series,
    groups: Sequence[str],
    views: Mapping[str, Results],
    copies: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """Write all that was found into `folder`.

    Args:
        table: the index's photos, N rows.
        paths: their files.
        splits: what the training made of each; see `provenance.splits_of`.
        groups: each photo's encounter.
        views: results by name, `ALL` and, where the training's splits are known, `HELD_OUT` and
            `HELD_OUT_ONLY`. The sheets show held-out queries where there are any.
        copies: of `copies_summary`.
        folder: gets the files.

    Returns:
        The figures, as written.

    Raises:
        UserError: a photo can't be read.
    """
    keys = np.asarray(groups, dtype=object)
    metrics: dict[str, Any] = {"photos": len(table)}
    metrics |= {
        name: summary(results.measures, list(keys[results.queries]))
        for name, results in views.items()
    }
    metrics["altered_copies"] = dict(copies)
    write_json(folder / METRICS_FILE, metrics)
    everything = views[ALL]
    species = [
        by_species(
            results.measures,
            list(table["species"].iloc[results.queries]),
            list(keys[results.queries]),
        ).assign(of=name)
        for name, results in views.items()
    ]
    write_table_for_people(pd.concat(species, ignore_index=True), folder / SPECIES_FILE)
    plot_by_species(species[0], folder / SPECIES_PICTURE)
    write_table_for_people(_queries(table, splits, everything), folder / QUERIES_FILE)
    curves = {name: precision_by_rank(results) for name, results in views.items()}
    curve = pd.DataFrame({"rank": np.arange(1, DEPTH + 1)} | curves)
    write_table(curve.round(4), folder / CURVE_FILE)
    plot_precision_by_rank(curves, folder / CURVE_PICTURE)
    _write_sheets(table, paths, views.get(HELD_OUT, everything), folder)
    return metrics


def copies_summary(found: Mapping[str, np.ndarray], groups: Sequence[str]) -> dict[str, Any]:
    """How often a copy's first result is its original: over all, and by alteration.

    Args:
        found: by alteration, whether each copy's original came first (Q,).
        groups: the encounter of each original.
    """
    values = np.stack(list(found.values()), axis=1).astype(float)
    low, high = bootstrap_intervals(
        lambda rows: {"recall_at_1": float(values[rows].mean())}, list(groups)
    )["recall_at_1"]
    return {
        "originals": len(values),
        "recall_at_1": float(values.mean()),
        "interval_95": {"recall_at_1": {"low": low, "high": high}},
        "by_alteration": {name: float(column.mean()) for name, column in found.items()},
    }


def _queries(table: pd.DataFrame, splits: pd.Series, results: Results) -> pd.DataFrame:
    """One row a query, the worst first."""
    asked = table.iloc[results.queries].reset_index(drop=True)
    first = results.rows[:, 0]
    queries = pd.DataFrame(
        {
            "id": asked["id"],
            "species": asked["species"],
            "split": splits.iloc[results.queries].to_numpy(),
            "observer": asked["observer"],
            "observation_url": asked["observation_url"],
            "hits": results.hits.sum(axis=1),
            **{name: results.measures[name].round(4) for name in results.measures},
            "first_result": np.where(first >= 0, table["id"].to_numpy()[first], ""),
            "first_similarity": results.similarities[:, 0].round(4),
        }
    )
    return queries.sort_values(["map_at_10", "id"], ignore_index=True)


def worst_and_best(results: Results, species: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of queries to show: those that failed worst, and some that did best.

    The worst have the fewest hits, and of these those with the most similar wrong results lead.
    The best are one of each species in turn, those whose tenth result is the least similar: all
    near-duplicates are easily found, and say little.
    """
    answerable = np.flatnonzero(results.measures.notna().all(axis=1))
    average = results.measures["map_at_10"].to_numpy()[answerable]
    similarity = results.similarities[answerable, 0]
    worst = answerable[np.lexsort((-similarity, average))]
    worst = worst[results.hits[worst].sum(axis=1) < (results.rows[worst] >= 0).sum(axis=1)]
    perfect = answerable[(average == average.max()) & (average > 0)] if len(answerable) else worst
    best: list[int] = []
    for name in sorted(set(species[results.queries[perfect]])):
        of_it = perfect[species[results.queries[perfect]] == name]
        best.append(int(of_it[np.argsort(results.similarities[of_it, -1], kind="stable")[0]]))
    return worst[:_QUERIES_PER_SHEET], np.array(best[:_QUERIES_PER_SHEET], dtype=np.int64)


def _write_sheets(
    table: pd.DataFrame, paths: Sequence[Path], results: Results, folder: Path
) -> None:
    worst, best = worst_and_best(results, table["species"].to_numpy(dtype=object))
    sections = []
    for title, numbers, empty, name in (
        ("Queries that failed worst", worst, "All results are right.", WORST_PICTURE),
        ("Queries that did well", best, "No query did well.", BEST_PICTURE),
    ):
        rows = [_tiles(table, paths, results, int(number)) for number in numbers]
        explained = f"{title}: species searched with → species found"
        # A row of the picture is a query with all its results; in a tiny collection some have less.
        whole = [tile for row in rows if len(row) == 1 + _SHOWN for tile in row]
        save_contact_sheet(Section(explained, whole, empty), folder / name)
        sections.append(Section(explained, [], f"{len(rows)} of them." if rows else empty))
        sections += [Section(f"Photo {row[0].id}, {row[0].species}", row, "") for row in rows]
    save_html_page(
        "Searches: each photo searched with, and its first results", sections, folder / PAGE
    )


def _tiles(
    table: pd.DataFrame, paths: Sequence[Path], results: Results, number: int
) -> list[Thumbnail]:
    """A query and its first results, each the query's species → its own."""
    query = int(results.queries[number])
    found = [int(row) for row in results.rows[number, :_SHOWN] if row >= 0]
    rows = [query, *found]
    shown = table.iloc[rows]
    said = f"{int(results.hits[number].sum())} of {int((results.rows[number] >= 0).sum())} right"
    remarks = [
        f"searched with: {said}",
        *(f"similarity {value:.3f}" for value in results.similarities[number]),
    ]
    return make_thumbnails(
        shown.assign(species=table["species"].iloc[query]),
        [paths[row] for row in rows],
        list(shown["species"]),
        remarks[: len(rows)],
    )
