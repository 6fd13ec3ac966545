"""Divide photos into train, validation and test: a stratified group split without leakage."""

from typing import Literal

import numpy as np
import pandas as pd

from panthera_vision.errors import UserError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
GroupBy = Literal["observer_day", "observer"]


def observation_groups(table: pd.DataFrame, group_by: GroupBy) -> pd.Series:
    """Return the group key of each row; rows with the same key must stay in one split.

    Photos of one observer on one day often show the same animal, so dividing them would leak
    training photos into the test. A column `group` decides where it is filled (`Encounters`). A
    row with neither group nor observer is a group of its own.
    """
    keys = table["observer"]
    if group_by == "observer_day":
        keys = keys + "\n" + table["observed_on"]
    keys = keys.where(table["observer"] != "", "\n\n" + table["id"])
    return keys.where(table["group"] == "", "\n\n\n" + table["group"]) if "group" in table else keys


def assign_splits(
    table: pd.DataFrame,
    *,
    validation_share: float,
    test_share: float,
    group_by: GroupBy,
    seed: int,
) -> pd.Series:
    """Return the split of each row of `table` (columns id, species, observer, observed_on).

    A greedy assignment: from the largest group to the smallest, each goes to the split that it
    brings closest to its target counts by species. The result depends on the rows' ids and on the
    seed, not on their order.

    Raises:
        UserError: a species has too few groups to be in all three splits.
    """
    shares = np.array([1 - validation_share - test_share, validation_share, test_share])
    counts = pd.crosstab(observation_groups(table, group_by), table["species"]).sort_index()
    _require_three_groups(table, counts, group_by)
    in_group = counts.to_numpy(dtype=float)
    wanted = np.outer(shares, in_group.sum(axis=0))
    order = np.random.default_rng(seed).permutation(len(in_group))
    order = order[np.argsort(-in_group[order].sum(axis=1), kind="stable")]
    have = np.zeros_like(wanted)
    choice = np.empty(len(in_group), dtype=int)
    for group in order:
        gain = in_group[group]
        # What the group adds to the sum of squared, relative misses, for each split.
        cost = (gain * (gain + 2 * have - 2 * wanted) / wanted).sum(axis=1)
        choice[group] = int(cost.argmin())
        have[choice[group]] += gain
    _fill_gaps(in_group, choice)
    _require_all_splits(counts, choice)
    by_group = pd.Series(np.array(SPLITS)[choice], index=counts.index)
    return observation_groups(table, group_by).map(by_group).rename("split")


def _require_three_groups(table: pd.DataFrame, counts: pd.DataFrame, group_by: GroupBy) -> None:
    for species, groups in (counts > 0).sum().items():
        if groups < len(SPLITS):
            photos = int((table["species"] == species).sum())
            unit = "observers" if group_by == "observer" else "observers' days"
            if not (table["observer"] != "").all() or "group" in table:
                unit = "groups"
            raise UserError(
                f"{species}: {photos} photos from {groups} {unit} are too few; train, validation "
                "and test need one each. Add observations, fill observed_on or a column 'group', "
                "or remove it from allowed_species"
            )


def _require_all_splits(counts: pd.DataFrame, choice: np.ndarray) -> None:
    for number, split in enumerate(SPLITS):
        empty = counts.columns[~(counts[choice == number] > 0).any(axis=0)]
        if len(empty):
            raise UserError(
                f"{empty[0]}: no photo is left for {split}, because its photos share observers and "
                f"days with too many photos of other species; add observations of this species"
            )


def _fill_gaps(in_group: np.ndarray, choice: np.ndarray) -> None:
    """Move a group of each species into every split that has none of it."""
    for species in range(in_group.shape[1]):
        members = np.flatnonzero(in_group[:, species])
        for split in range(len(SPLITS)):
            if (choice[members] == split).any():
                continue
            per_split = np.bincount(choice[members], minlength=len(SPLITS))
            givers = members[choice[members] == per_split.argmax()]
            # Moving the smallest group changes the shares least.
            choice[givers[in_group[givers].sum(axis=1).argmin()]] = split


def split_report(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return the number of photos by split and species."""
    counts = pd.crosstab(table["split"], table["species"]).reindex(list(SPLITS))
    return {
        str(split): {str(species): int(photos) for species, photos in row.items()}
        for split, row in counts.iterrows()
    }
