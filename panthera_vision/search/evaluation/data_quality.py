"""Check the data with the search: near-duplicates across splits (leakage), and likely label errors.

A near-duplicate of a training photo among the test photos makes the test easier than it should be.
A photo whose neighbors are of another species may have a wrong label. The model has seen the labels
of its training photos, wrong ones too, which moves such a photo closer to its given species: this
list supplements the classifier's label review, whose models have not seen them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.splits import SPLITS
from panthera_vision.data.spreadsheet_csv import write_table_for_people
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails
from panthera_vision.search.evaluation.evaluate import draw_rows, results_among
from panthera_vision.search.evaluation.metrics import DEPTH, Results
from panthera_vision.search.index.photo_index import PhotoIndex
from panthera_vision.search.parameters import CurateParameters

PHOTOS_PER_PAGE = 200
_DIGITS = 4
_DUPLICATE_COLUMNS = (
    *("group", "id", "species", "split", "similarity", "species_differ"),
    *("observer", "observed_on", "observation_url", "verdict"),
)
_DISAGREEING_COLUMNS = (
    *("id", "given_species", "suggested_species", "neighbours", "mean_similarity", "nearest"),
    *("nearest_observation_url", "split", "observer", "observation_url", "verdict"),
)


def duplicates_across_splits(
    table: pd.DataFrame,
    splits: pd.Series,
    groups: np.ndarray,
    vectors_at: Callable[[np.ndarray], np.ndarray],
) -> pd.DataFrame:
    """List the groups of near-duplicates that lie in several splits, one row per photo.

    Args:
        table: the index's photos (N).
        splits: of each (N,); photos in none of `SPLITS` are ignored.
        groups: each photo's group of near-duplicates (N,).
        vectors_at: returns the L2-normalized embeddings (n, dimension) of rows (n,).

    Returns:
        Sorted by group. `similarity` is that to the group's most similar photo in another split.
        `species_differ` marks groups with several species, of which one must be wrong. `verdict`
        is empty, for the reviewer.
    """
    lines = []
    photos = pd.DataFrame({"group": groups, "split": splits.to_numpy()})
    photos = photos[photos["split"].isin(SPLITS)]
    of_group = photos.groupby("group")["split"].nunique()
    divided = photos[photos["group"].isin(of_group.index[of_group > 1])]
    for group, members in divided.groupby("group"):
        rows = members.index.to_numpy()
        split = members["split"].to_numpy()
        vectors = vectors_at(rows)
        similarities = vectors @ vectors.T
        similarities[split[:, None] == split] = -1
        differ = "yes" if table["species"].iloc[rows].nunique() > 1 else ""
        for row, nearest in zip(rows, similarities.max(axis=1), strict=True):
            lines.append((group, row, round(float(nearest), _DIGITS), differ))
    found = pd.DataFrame(lines, columns=["group", "row", "similarity", "species_differ"])
    at = found["row"].astype(int)
    listed = table.assign(split=splits.to_numpy()).iloc[at].reset_index(drop=True)
    return listed.assign(**found.drop(columns="row"), verdict="")[list(_DUPLICATE_COLUMNS)]


def disagreeing_neighbors(
    table: pd.DataFrame, splits: pd.Series, results: Results, share: float
) -> pd.DataFrame:
    """List photos most of whose nearest neighbors are of one other species, the clearest first.

    Args:
        table: the index's photos (N).
        splits: of each (N,).
        results: of each photo among those of other encounters.
        share: of the `DEPTH` nearest neighbors that must be of the other species.

    Returns:
        One row per photo. `neighbours` counts those of `suggested_species`, `nearest` is the most
        similar of them. `verdict` is empty, for the reviewer.
    """
    species = table["species"].to_numpy(dtype=object)
    lines = []
    for query, rows, similarities in zip(
        results.queries, results.rows, results.similarities, strict=True
    ):
        found = rows >= 0
        names, counts = np.unique(species[rows[found]].astype(str), return_counts=True)
        if not len(names):
            continue
        suggested, count = names[counts.argmax()], int(counts.max())
        if suggested == species[query] or count < share * DEPTH:
            continue
        agreeing = found & (species[rows] == suggested)
        lines.append((query, suggested, count, similarities[agreeing].mean(), rows[agreeing][0]))
    columns = ["query", "suggested", "count", "similarity", "nearest"]
    listed = pd.DataFrame(lines, columns=columns).astype(
        {"query": int, "similarity": float, "nearest": int}
    )
    photos = table.assign(split=splits.to_numpy()).iloc[listed["query"]].reset_index(drop=True)
    nearest = table.iloc[listed["nearest"]]
    review = photos.rename(columns={"species": "given_species"}).assign(
        suggested_species=listed["suggested"],
        neighbours=listed["count"],
        mean_similarity=listed["similarity"].round(_DIGITS),
        nearest=nearest["id"].to_numpy(),
        nearest_observation_url=nearest["observation_url"].to_numpy(),
        verdict="",
    )[list(_DISAGREEING_COLUMNS)]
    order = ["neighbours", "mean_similarity", "id"]
    return review.sort_values(order, ascending=[False, False, True], ignore_index=True)


@dataclass(frozen=True)
class CurationFiles:
    """Name the two tables and the HTML page to write."""

    duplicates: Path
    disagreeing: Path
    page: Path


def write_curation(
    index: PhotoIndex,
    paths: Sequence[Path],
    splits: pd.Series,
    parameters: CurateParameters,
    files: CurationFiles,
) -> str:
    """Write the near-duplicates across splits and the doubtful labels of an index.

    Args:
        index: of N photos.
        paths: their files (N).
        splits: of each (N,).
        parameters: of `disagreeing_neighbors`.
        files: to write.

    Returns:
        A phrase with both numbers.
    """
    everything = np.arange(len(index.table))
    queries = draw_rows(everything, parameters.photos, np.random.default_rng(parameters.seed))
    duplicates = duplicates_across_splits(
        index.table, splits, index.groups, index.backend.vectors_at
    )
    results = results_among(index, queries, everything)
    disagreeing = disagreeing_neighbors(index.table, splits, results, parameters.min_neighbor_share)
    write_table_for_people(duplicates, files.duplicates)
    write_table_for_people(disagreeing, files.disagreeing)
    write_curation_page(index.table, paths, duplicates, disagreeing, files.page)
    return (
        f"{duplicates['group'].nunique()} groups of near-duplicates lie in several splits; the "
        f"neighbors of {len(disagreeing)} of {len(queries)} photos are of another species"
    )


def write_curation_page(
    table: pd.DataFrame,
    paths: Sequence[Path],
    duplicates: pd.DataFrame,
    disagreeing: pd.DataFrame,
    page: Path,
) -> None:
    """Write both lists as an HTML page of photos, the first `PHOTOS_PER_PAGE` of each.

    Args:
        table, paths: the index's photos and their files (N).
        duplicates: from `duplicates_across_splits`.
        disagreeing: from `disagreeing_neighbors`.
        page: the file to write.

    Raises:
        UserError: a photo cannot be read.
    """
    row_of = pd.Series(range(len(table)), index=table["id"])

    def thumbnails(ids: pd.Series, suggested: pd.Series, captions: list[str]) -> list[Thumbnail]:
        rows = row_of[ids].tolist()
        chosen = [paths[row] for row in rows]
        return make_thumbnails(table.iloc[rows], chosen, list(suggested), captions)

    pairs, doubtful = duplicates.head(PHOTOS_PER_PAGE), disagreeing.head(PHOTOS_PER_PAGE)
    # Photos are compared with the first of their group: another species is framed as wrong.
    leading = pairs.groupby("group")["species"].transform("first")
    of_pairs = [
        f"group {line.group}, {line.split}, similarity {line.similarity:.3f}"
        for line in pairs.itertuples()
    ]
    of_doubtful = [
        f"{line.neighbours} of {DEPTH} neighbors, similarity {line.mean_similarity:.3f}"
        for line in doubtful.itertuples()
    ]
    sections = [
        Section(
            f"Near-duplicates across splits: {duplicates['group'].nunique()} groups, "
            f"{len(duplicates)} photos, {len(pairs)} shown",
            thumbnails(pairs["id"], leading, of_pairs),
            "No near-duplicates across splits.",
        ),
        Section(
            f"Given species → species of the neighbors: {len(disagreeing)} photos, "
            f"{len(doubtful)} shown",
            thumbnails(doubtful["id"], doubtful["suggested_species"], of_doubtful),
            "No photos with neighbors mostly of another species.",
        ),
    ]
    save_html_page("Photos to review", sections, page)
