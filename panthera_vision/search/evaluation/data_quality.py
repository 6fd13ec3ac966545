"""What the search tells of its collection: copies on both sides of a split, doubtful labels.

A near-duplicate of a training photo among the test photos makes the test easier than it should be.
A photo whose neighbours are of another species may have a wrong label. The model has seen the
labels of its training photos, wrong ones too, and brings such a photo nearer to its given species
than it belongs: this list supplements the classifier's review of labels, whose judge has seen none.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from panthera_vision.data.splits import SPLITS
from panthera_vision.reporting.html_page import save_html_page
from panthera_vision.reporting.thumbnails import Section, Thumbnail, make_thumbnails
from panthera_vision.search.evaluation.metrics import DEPTH, Results

PHOTOS_PER_PAGE = 200
_DIGITS = 4


def duplicates_across_splits(
    table: pd.DataFrame, splits: pd.Series, groups: np.ndarray, vectors: np.ndarray
) -> pd.DataFrame:
    """The groups of near-duplicates that lie in several splits, one row a photo.

    Args:
        table: the index's photos, N rows.
        splits: of each (N,); photos in none of `SPLITS` do not count.
        groups: each photo's group of near-duplicates (N,).
        vectors: L2-normalised embeddings (N, dimension).

    Returns:
        Sorted by group. `similarity` is that to the group's most similar photo in another split;
        `species_differ` says that the group's photos have different species, of which one must
        be wrong. `verdict` is empty, for whoever looks at the photos.
    """
    lines = []
    divided = np.flatnonzero(splits.isin(SPLITS).to_numpy())
    by_group = pd.Series(divided).groupby(groups[divided])
    for group, members in by_group:
        rows = members.to_numpy()
        of = splits.iloc[rows].to_numpy()
        if len(set(of)) < 2:
            continue
        similarities = vectors[rows] @ vectors[rows].T
        similarities[of[:, None] == of] = -1
        several = table["species"].iloc[rows].nunique() > 1
        for row, nearest in zip(rows, similarities.max(axis=1), strict=True):
            lines.append((group, row, round(float(nearest), _DIGITS), several))
    listed = [line[1] for line in lines]
    found = table.iloc[listed].reset_index(drop=True)
    return pd.DataFrame(
        {
            "group": [line[0] for line in lines],
            "id": found["id"],
            "species": found["species"],
            "split": splits.iloc[listed].to_numpy(),
            "similarity": [line[2] for line in lines],
            "species_differ": ["yes" if line[3] else "" for line in lines],
            "observer": found["observer"],
            "observed_on": found["observed_on"],
            "observation_url": found["observation_url"],
            "verdict": "",
        }
    )


def disagreeing_neighbours(
    table: pd.DataFrame, splits: pd.Series, results: Results, share: float
) -> pd.DataFrame:
    """Photos most of whose neighbours are of one other species, the clearest first.

    Args:
        table: the index's photos, N rows.
        splits: of each (N,).
        results: what each photo found among those of other encounters.
        share: of the `DEPTH` nearest that must be of the other species.

    Returns:
        One row a photo. `neighbours` says how many of the `DEPTH` are of `suggested_species`,
        `nearest` is the most similar of these. `verdict` is empty.
    """
    species = table["species"].to_numpy(dtype=object)
    lines = []
    for query, rows, similarities in zip(
        results.queries, results.rows, results.similarities, strict=True
    ):
        there = rows >= 0
        names, counts = np.unique(species[rows[there]].astype(str), return_counts=True)
        if not len(names):
            continue
        suggested, count = names[counts.argmax()], int(counts.max())
        if suggested == species[query] or count < share * DEPTH:
            continue
        of_it = there & (species[rows] == suggested)
        nearest = rows[of_it][0]
        lines.append((query, suggested, count, float(similarities[of_it].mean()), nearest))
    queries = [line[0] for line in lines]
    nearest_rows = [line[4] for line in lines]
    found = table.iloc[queries].reset_index(drop=True)
    review = pd.DataFrame(
        {
            "id": found["id"],
            "given_species": found["species"],
            "suggested_species": [line[1] for line in lines],
            "neighbours": [line[2] for line in lines],
            "mean_similarity": np.round([line[3] for line in lines], _DIGITS),
            "nearest": table["id"].iloc[nearest_rows].to_numpy(),
            "nearest_observation_url": table["observation_url"].iloc[nearest_rows].to_numpy(),
            "split": splits.iloc[queries].to_numpy(),
            "observer": found["observer"],
            "observation_url": found["observation_url"],
            "verdict": "",
        }
    )
    order = ["neighbours", "mean_similarity", "id"]
    return review.sort_values(order, ascending=[False, False, True], ignore_index=True)


def write_curation_page(
    table: pd.DataFrame,
    paths: Sequence[Path],
    duplicates: pd.DataFrame,
    disagreeing: pd.DataFrame,
    page: Path,
) -> None:
    """Write both lists as a page of photos, the first `PHOTOS_PER_PAGE` of each.

    Args:
        table: the index's photos, N rows.
        paths: their files.
        duplicates: of `duplicates_across_splits`.
        disagreeing: of `disagreeing_neighbours`.
        page: the file to write.

    Raises:
        UserError: a photo can't be read.
    """
    numbers = pd.Series(range(len(table)), index=table["id"])

    def tiles(ids: pd.Series, suggested: pd.Series, remarks: list[str]) -> list[Thumbnail]:
        rows = numbers[ids].tolist()
        chosen = [paths[row] for row in rows]
        return make_thumbnails(table.iloc[rows], chosen, list(suggested), remarks)

    pairs, doubtful = duplicates.head(PHOTOS_PER_PAGE), disagreeing.head(PHOTOS_PER_PAGE)
    groups = duplicates["group"].nunique()
    # A photo is compared with the first of its group: another species is framed as wrong.
    leading = pairs.groupby("group")["species"].transform("first")
    sections = [
        Section(
            f"Near-duplicates in several splits: {groups} groups, {len(duplicates)} photos, "
            f"{len(pairs)} shown",
            tiles(
                pairs["id"],
                leading,
                [
                    f"group {group}, {split}, similarity {similarity:.3f}"
                    for group, split, similarity in zip(
                        pairs["group"], pairs["split"], pairs["similarity"], strict=True
                    )
                ],
            ),
            "No near-duplicates lie in several splits.",
        ),
        Section(
            f"Given species → species of the neighbours: {len(disagreeing)} photos, "
            f"{len(doubtful)} shown",
            tiles(
                doubtful["id"],
                doubtful["suggested_species"],
                [
                    f"{count} of {DEPTH} neighbours, similarity {similarity:.3f}"
                    for count, similarity in zip(
                        doubtful["neighbours"], doubtful["mean_similarity"], strict=True
                    )
                ],
            ),
            "No photo's neighbours are mostly of another species.",
        ),
    ]
    save_html_page("Photos to look at", sections, page)
