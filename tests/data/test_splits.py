from pathlib import Path
from random import Random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panthera_vision.data.splits import GroupBy, assign_splits, observation_groups, split_report
from panthera_vision.errors import UserError
from panthera_vision.sources.observations import prepare_observations

from ..conftest import SPECIES


def table_of(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["species", "observer", "observed_on"])
    frame.insert(0, "id", [str(number) for number in range(len(frame))])
    return frame


def split(table: pd.DataFrame, group_by: GroupBy = "observer_day", seed: int = 1) -> pd.Series:
    return assign_splits(
        table, validation_share=0.15, test_share=0.15, group_by=group_by, seed=seed
    )


ROWS = st.lists(
    st.tuples(
        st.sampled_from(SPECIES[:3]),
        st.sampled_from(["", "ann", "bob", "cid", "dee", "eve", "fay"]),
        st.sampled_from(["2020-01-01", "2020-01-02", "2020-01-03", ""]),
    ),
    min_size=20,
    max_size=120,
)


@pytest.mark.slow
@given(ROWS, st.sampled_from(["observer_day", "observer"]))
def test_split_leaks_no_group_and_has_every_species(
    rows: list[tuple[str, str, str]], group_by: GroupBy
) -> None:
    table = table_of(rows)
    try:
        splits = split(table, group_by)
    except UserError:
        return  # too few groups are an error
    groups = observation_groups(table, group_by)
    assert (splits.groupby(groups).nunique() == 1).all()
    for species, of_species in splits.groupby(table["species"]):
        assert set(of_species) == {"train", "validation", "test"}, species


@pytest.mark.slow
@given(ROWS, st.randoms())
def test_the_split_does_not_depend_on_the_order_of_rows(
    rows: list[tuple[str, str, str]], random: Random
) -> None:
    table = table_of(rows)
    order = list(range(len(table)))
    random.shuffle(order)
    try:
        splits = split(table)
    except UserError:
        return
    shuffled = split(table.iloc[order].reset_index(drop=True))
    assert list(shuffled) == [splits[number] for number in order]


@pytest.mark.parametrize("group_by", ["observer_day", "observer"])
def test_shares_hold_for_every_species_of_the_real_export(
    real_data: Path, group_by: GroupBy
) -> None:
    table, _ = prepare_observations(real_data / "inaturalist", SPECIES)
    splits = split(table, group_by)
    shares = pd.crosstab(table["species"], splits, normalize="index")
    assert (shares["test"] - 0.15).abs().max() < 0.01
    assert (shares["validation"] - 0.15).abs().max() < 0.01


def test_a_species_with_two_photos_is_refused_by_name() -> None:
    rows = [("Panthera leo", f"o{n}", "2020-01-01") for n in range(10)]
    rows += [("Panthera uncia", "ann", "2020-01-01"), ("Panthera uncia", "bob", "2020-01-01")]
    with pytest.raises(UserError, match="Panthera uncia: 2 photos from 2 observers' days"):
        split(table_of(rows))


def test_another_seed_gives_another_split_and_the_report_counts_it() -> None:
    rows = [(species, f"o{n}", "2020-01-01") for n in range(40) for species in SPECIES[:2]]
    table = table_of(rows)
    assert list(split(table, seed=1)) == list(split(table, seed=1)) != list(split(table, seed=2))
    report = split_report(table.assign(split=split(table)))
    assert sum(sum(row.values()) for row in report.values()) == len(rows)
