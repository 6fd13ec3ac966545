"""Write the retrieval report: metrics, tables, plots, and contact sheets of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from panthera_vision.data.photo_table import write_table
from panthera_vision.data.splits import observation_groups
from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.evaluation.bootstrap import bootstrap_intervals
from panthera_vision.io.atomic import write_json
from panthera_vision.reporting.contact_sheet import save_contact_sheet
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails
from panthera_vision.search.evaluation.metrics import (
    DEPTH,
    Results,
    metrics_by_species,
    precision_by_rank,
    summarize,
)
from panthera_vision.search.evaluation.plots import (
    ALL,
    HELD_OUT,
    plot_by_species,
    plot_precision_by_rank,
)

# A row of a contact sheet shows a query and so many of its results.
_SHOWN = 5
_QUERIES_PER_SHEET = 8


@dataclass(frozen=True)
class EvaluatedPhotos:
    """Hold the photos of an index (N): table, files, splits from `splits_of`, and encounters."""

    table: pd.DataFrame
    paths: Sequence[Path]
    splits: pd.Series
    groups: Sequence[str]

    def groups_at(self, rows: np.ndarray) -> list[str]:
        """Return the encounters of these rows."""
        return [self.groups[row] for row in rows]


def encounters(table: pd.DataFrame) -> list[str]:
    """Return each photo's encounter: observer and day."""
    return list(observation_groups(table, "observer_day"))


def write_retrieval_report(
    photos: EvaluatedPhotos,
    views: Mapping[str, Results],
    copies: Mapping[str, Any],
    folder: Path,
) -> dict[str, Any]:
    """Write the report to `folder` and return the metrics.

    Args:
        photos: of the index.
        views: results by name: `ALL` and, if the splits are known, `HELD_OUT` and `HELD_OUT_ONLY`.
            The contact sheets show held-out queries if there are any.
        copies: from `summarize_copies`.
        folder: gets the files.

    Raises:
        UserError: a photo cannot be read.
    """
    table = photos.table
    metrics: dict[str, Any] = {"photos": len(table)}
    species = []
    for name, results in views.items():
        groups = photos.groups_at(results.queries)
        names = list(table["species"].iloc[results.queries])
        metrics[name] = summarize(results.metrics, groups)
        species.append(metrics_by_species(results.metrics, names, groups).assign(of=name))
    metrics["perturbed_copies"] = dict(copies)
    write_json(folder / "retrieval_metrics.json", metrics)
    by_species = pd.concat(species, ignore_index=True)
    write_table_for_people(by_species, folder / "retrieval_by_species.csv")
    plot_by_species(species[0], folder / "retrieval_by_species.png")
    write_table_for_people(_query_table(photos, views[ALL]), folder / "retrieval_queries.csv")
    curves = {name: precision_by_rank(results) for name, results in views.items()}
    curve = pd.DataFrame({"rank": np.arange(1, DEPTH + 1)} | curves)
    write_table(curve.round(4), folder / "precision_by_rank.csv")
    plot_precision_by_rank(curves, folder / "precision_by_rank.png")
    _write_contact_sheets(photos, views.get(HELD_OUT, views[ALL]), folder)
    return metrics


def summarize_copies(found: Mapping[str, np.ndarray], groups: Sequence[str]) -> dict[str, Any]:
    """Compute the recall@1 of perturbed copies: over all, and by perturbation.

    Args:
        found: by perturbation, whether each copy's original came first (Q,).
        groups: the encounter of each original, the cluster of the bootstrap (Q,).
    """
    values = np.stack(list(found.values()), axis=1).astype(float)
    low, high = bootstrap_intervals(
        lambda rows: {"recall_at_1": float(values[rows].mean())}, list(groups)
    )["recall_at_1"]
    return {
        "originals": len(values),
        "recall_at_1": float(values.mean()),
        "interval_95": {"recall_at_1": {"low": low, "high": high}},
        "by_perturbation": {name: float(column.mean()) for name, column in found.items()},
    }


def _query_table(photos: EvaluatedPhotos, results: Results) -> pd.DataFrame:
    """Return one row per query, the worst first."""
    asked = photos.table.iloc[results.queries].reset_index(drop=True)
    first = results.rows[:, 0]
    queries = pd.DataFrame(
        {
            "id": asked["id"],
            "species": asked["species"],
            "split": photos.splits.iloc[results.queries].to_numpy(),
            "observer": asked["observer"],
            "observation_url": asked["observation_url"],
            "hits": results.hits.sum(axis=1),
            **{name: results.metrics[name].round(4) for name in results.metrics},
            "first_result": np.where(first >= 0, photos.table["id"].to_numpy()[first], ""),
            "first_similarity": results.similarities[:, 0].round(4),
        }
    )
    return queries.sort_values(["map_at_10", "id"], ignore_index=True)


def worst_and_best(results: Results, species: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose the queries to show: the worst, and some of the best.

    The worst have the lowest average precision; ties go to the most similar wrong results. The best
    are one of each species, those whose tenth result is the least similar: near-duplicates are
    easy to find and say little.
    """
    answerable = np.flatnonzero(results.metrics.notna().all(axis=1))
    average = results.metrics["map_at_10"].to_numpy()[answerable]
    similarity = results.similarities[answerable, 0]
    worst = answerable[np.lexsort((-similarity, average))]
    worst = worst[results.hits[worst].sum(axis=1) < (results.rows[worst] >= 0).sum(axis=1)]
    perfect = answerable[(average == average.max()) & (average > 0)] if len(answerable) else worst
    best: list[int] = []
    for name in sorted(set(species[results.queries[perfect]])):
        of_species = perfect[species[results.queries[perfect]] == name]
        order = np.argsort(results.similarities[of_species, -1], kind="stable")
        best.append(int(of_species[order[0]]))
    return worst[:_QUERIES_PER_SHEET], np.array(best[:_QUERIES_PER_SHEET], dtype=np.int64)


def _write_contact_sheets(photos: EvaluatedPhotos, results: Results, folder: Path) -> None:
    worst, best = worst_and_best(results, photos.table["species"].to_numpy(dtype=object))
    sections = []
    for title, numbers, empty, name in (
        ("Worst queries", worst, "All results are correct.", "worst_queries.png"),
        ("Best queries", best, "No query did well.", "best_queries.png"),
    ):
        rows = [_thumbnails(photos, results, int(number)) for number in numbers]
        heading = f"{title}: species searched with → species found"
        # A row of the picture needs all its results; in a tiny collection some queries have fewer.
        full = [thumbnail for row in rows if len(row) == 1 + _SHOWN for thumbnail in row]
        save_contact_sheet(Section(heading, full, empty), folder / name)
        sections.append(Section(heading, [], f"{len(rows)} of them." if rows else empty))
        sections += [Section(f"Photo {row[0].id}, {row[0].species}", row, "") for row in rows]
    save_html_page("Queries and their first results", sections, folder / "retrieval.html")


def _thumbnails(photos: EvaluatedPhotos, results: Results, number: int) -> list[Thumbnail]:
    """Make thumbnails of a query and its first results, captioned query species → own species."""
    query = int(results.queries[number])
    rows = [query, *(int(row) for row in results.rows[number, :_SHOWN] if row >= 0)]
    shown = photos.table.iloc[rows]
    hits, found = int(results.hits[number].sum()), int((results.rows[number] >= 0).sum())
    captions = [
        f"query: {hits} of {found} correct",
        *(f"similarity {value:.3f}" for value in results.similarities[number]),
    ]
    return make_thumbnails(
        shown.assign(species=photos.table["species"].iloc[query]),
        [photos.paths[row] for row in rows],
        list(shown["species"]),
        captions[: len(rows)],
    )
